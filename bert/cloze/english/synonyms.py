"""Words and phrases that say the same in most contexts, as a table.

One-way entries lead to words that have other senses, or forms, of their own. The table is small and picked by hand for
frequency and safety: near-synonyms that change what is claimed are left out, and so are words that are more than one
part of speech in different ways. Inflected forms are entries of their own.
"""

from __future__ import annotations

from bert.cloze.english.phrases import PhraseTable

_TABLE = """
began > started | begun > started | begins = starts | to begin > to start | beginning in = starting in
beginning of = start of | large = big | larger = bigger | largest = biggest | huge = enormous | tiny > very small
important = significant | importance = significance | several > a number of | a number of > several
often = frequently | usually = generally | however > nevertheless | therefore = consequently | thus > therefore
hence > therefore | although > though | main = principal | famous = well-known | constructed > built
created > produced | established = founded | consists of = is made up of | consist of = are made up of
consisted of = was made up of | composed of = made up of | received > got | purchased > bought | bought > purchased
assisted > helped | required > needed | shown > demonstrated | shows that = demonstrates that
showed that = demonstrated that | stated that > said that | states that = says that | was used > was employed
were used > were employed | is used > is employed | are used > are employed | similar to > much like
near the > close to the | close to the > near the | per day > a day | nearly > almost | only > just
initially > at first | originally > at first | at first = initially | eventually > in the end
ultimately > in the end | currently > at present | presently > at present | recently > lately | within > inside
throughout > all through | toward = towards | among = amongst | while > whilst | until = till | upon > on
via > by way of | died > passed away | children > kids | country = nation | countries = nations | area = region
areas = regions | city > town | film = movie | films = movies | car = automobile | cars = automobiles
aeroplane = airplane | physician > doctor | author > writer | authors > writers | written by > authored by
teacher > instructor | the end of > the close of | type of = kind of = sort of | types of = kinds of = sorts of
method = technique | methods = techniques | idea = notion | ideas = notions | concept = notion | concepts = notions
result in = lead to | results in = leads to | resulted in = led to | resulting in = leading to | aim > goal
objective > goal | quickly = rapidly = swiftly | powerful > strong | wealthy = rich | difficult > hard
rare > uncommon | uncommon > rare | entire = whole | entirely = completely = wholly | particularly = especially
in particular > especially | mainly = mostly = primarily = chiefly | largely > mostly | probably > most likely
perhaps = maybe = possibly | various > different | additional > extra | previous > earlier | prior to > before
previously > earlier | formerly > previously | subsequently > afterwards | afterward = afterwards
following the > after the | sufficient > enough | attempted to = tried to | attempts to = tries to
attempting to = trying to | attempt to = try to | sought to > tried to | seeks to > tries to | wanted to = wished to
wants to = wishes to | occurred > took place | occurs > takes place | occur > take place | takes place = occurs
took place = occurred | happened > took place | allowed = permitted | allows = permits | allowing = permitting
allow = permit | forced to = compelled to | chose > selected | chosen > selected | revealed > disclosed
discovered > found | argued that = contended that | argues that = contends that | claimed that = asserted that
claims that = asserts that | believed that > thought that | believes that = thinks that | believe that = think that
is believed > is thought | are believed > are thought | suggests that > indicates that
suggested that > indicated that | gained > acquired | obtained > acquired | demolished > destroyed
attacked > assaulted | supported > backed | supports > backs | opposed to > against | leader > head
lived in = resided in | lives in = resides in | living in = residing in | live in = reside in
moved to > relocated to | returned to > went back to | married > wed | travelled to = journeyed to
traveled to = journeyed to | completed > finished | finished > completed | concluded > ended | contains > includes
contained > included | containing > including | provided by > supplied by | provides = supplies | provide = supply
produces > makes | introduced > brought in | set up > established | was appointed > was named
were appointed > were named | announced > declared | published > brought out | followed by > succeeded by
replaced by > superseded by | replaced > superseded | is considered > is regarded as
are considered > are regarded as | was considered > was regarded as | considered to be > regarded as
seen as = viewed as = regarded as | known as > called | referred to as > called | unable to > not able to
is able to > can | are able to > can | was able to > could | were able to > could | in order to > to
due to = because of = owing to | along with = together with | as well as > along with | in addition to > besides
in addition > besides | despite = in spite of | instead of = rather than | for example = for instance | such as > like
at that time > back then | most of the = the majority of the | a variety of > various
a wide range of > many kinds of | a large number of > many | a few > a small number of | a series of > a string of
every year = each year | each year = annually | per year = a year | human beings > humans | company = firm
companies = firms | soldiers = troops | spokesman > spokesperson | wounded = injured | attorney = lawyer
lawyers = attorneys | workers = employees | illness = sickness | ship > vessel | ships > vessels | forest = woods
forests > woods | gift > present | autumn > fall | many people > numerous people | many other > numerous other
many of > a lot of | numerous > many | some of the > certain of the | as a result > in consequence
in fact > actually | actually > in fact | almost all > nearly all | almost > nearly | especially > in particular
clear that > evident that | evident > clear | shortly after > soon after | soon after = shortly after
immediately > at once | at once > immediately | sometimes > at times | rarely > seldom | seldom > rarely
always > at all times | now > at present | again > once more | once more > again | about the > concerning the
concerning > about | regarding > about | regardless of > irrespective of | in contrast to > unlike
unlike > in contrast to | rather than > instead of | because > since | that are > which are | that was > which was
that were > which were | that has > which has | that have > which have | which are > that are | which is > that is
enables > lets | enable > let | utilized > used | remained > stayed | remain > stay | speed > pace | goods > products
amount of > quantity of | quantity of > amount of | large number of > great many | task > job | trip > journey
battle > fight | fighting > combat | talks > negotiations | negotiations > talks | accord > agreement
probe > investigation | inquiry > investigation | blaze > fire | firefighters > fire crews | fire crews > firefighters
in total > altogether | a total of > altogether | is expected to > is likely to | are expected to > are likely to
people who > those who | those who > people who | refused to > declined to | declined to > refused to
agreed to > consented to | continued to > went on to | continues to > goes on to | decided to > chose to
failed to > did not manage to | plans to > intends to | planned to > intended to | intends to > plans to
has become > has turned into | had become > had turned into | became a > turned into a | became the > turned into the
is called > is named | was called > was named | are called > are named | is based on > rests on
are based on > rest on | is located in > lies in | are located in > lie in | located in > situated in
situated in > located in | is found in > occurs in | are found in > occur in | contribute to > add to
contributed to > added to | responsible for > in charge of | likely to > apt to | even though > although
whenever > each time | at least > no less than
"""

# What "about", "around" and the like mean before a number, and only there.
_BEFORE_NUMBERS = """
about = around = roughly = approximately = some | more than = over = in excess of | fewer than = less than = under
at least = no fewer than | up to = as many as | nearly = almost = close to
"""


SYNONYMS = PhraseTable(_TABLE, _BEFORE_NUMBERS)
