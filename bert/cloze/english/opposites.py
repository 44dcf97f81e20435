"""Words and phrases whose exchange changes what a sentence claims, as tables."""

from __future__ import annotations

from bert.cloze.english.phrases import PhraseTable

OPPOSITES = PhraseTable("""
north = south | northern = southern | east = west | eastern = western | first > last | last > first | early = late
earlier = later | increase = decrease | increased = decreased | increases = decreases | increasing = decreasing
rise = fall | rose = fell | rising = falling | gain = loss | gains = losses | large > small | small > large
larger = smaller | largest = smallest | big > small | high = low | higher = lower | highest = lowest | long = short
longer = shorter | old > new | new > old | older = newer | oldest = newest | male = female | men = women | man = woman
boy = girl | boys = girls | father = mother | brother = sister | son = daughter | sons = daughters | husband = wife
his > her | he = she | began > ended | begins = ends | beginning = end | start = finish
started > stopped | win = lose | won = lost | winning = losing | victory = defeat | success = failure
successful = unsuccessful | successfully = unsuccessfully | accept = reject | accepted = rejected | support = oppose
supported = opposed | supporters = opponents | attack = defend | attacked = defended | upper = lower | above = below
inside = outside | opened = closed | open > closed | public = private | rich = poor | strong = weak
stronger = weaker | strongest = weakest | good = bad | better = worse | best = worst | possible = impossible
legal = illegal | known > unknown | popular = unpopular | common > rare | rare > common | important > unimportant
significant > insignificant | same > opposite | similar > opposite | similar to > different from
different from > similar to | positive = negative | major = minor | modern = ancient | urban = rural
internal = external | hot = cold | warm = cold | wet = dry | dark = light | black = white | fast = slow
quickly = slowly | rapidly > slowly | love = hate | peace = war | alive = dead | young = old | younger = older
youngest = oldest | birth = death | born > buried | arrived > departed | entered > left | joined > left
bought > sold | sold > bought | imports = exports | teacher = student | teachers = students | parents = children
day = night | morning = evening | winter = summer | land = sea | top = bottom | front = back | simple = complex
easy = difficult | true = false | right > wrong | allow = prevent | allows = prevents | allowed = prevented
include > exclude | includes > excludes | included > excluded | majority = minority | maximum = minimum
agreed to = refused to | agreed > disagreed | confirmed = denied | said > denied | says > denies
argued that > denied that | claimed that > denied that | believed that > doubted that | believes that > doubts that
friend = enemy | friends = enemies | guilty = innocent | safe = dangerous | full = empty | permanent = temporary
direct = indirect | directly = indirectly | official = unofficial | able to = unable to | created > destroyed
built > destroyed | established > abolished | founded > dissolved | introduced > abolished | improved > worsened
growing > shrinking | expanded > shrank | grew > shrank | appointed > dismissed | elected > voted out
helped > hindered
""")

# Links between parts of the sentence, frequencies and quantities: few words, in nearly every sentence.
RELATIONS = PhraseTable(
    """
because of > despite | due to > despite | because > although | although > because | though > because
despite > because of | since > until | until > since = after | before = after | during > before = after
with = without | for > against | against > for | by > without | under > over | over > under | in > outside
within > outside | among > outside | through > around | to the > from the | toward > away from | towards > away from
and > but not | or > but not | as well as > but not | along with > but not | together with > without
rather than > as well as | instead of > as well as | including > except = excluding | such as > except | like > unlike
unlike > like | according to > contrary to | for example > with the exception | at least > at most
more than > less than | less than > more than | most > few | most of > few of | many > few | many of > few of
few > many | several > no | some > no | some of > none of | all > few | all of > none of | each > no | every > no
both > neither of | any > no | more > less | less > more | also > never | always > never | never > always
often > rarely = never | usually > rarely = never | frequently > rarely | generally > rarely | typically > rarely
sometimes > never | rarely > often | only > not only | mainly > hardly | mostly > hardly | largely > hardly
primarily > hardly | widely > hardly | very > hardly | highly > hardly | completely > hardly | entirely > hardly
nearly > not nearly | almost > not nearly | still > no longer | now > no longer | currently > no longer
already > not yet | again > never again | likely > unlikely | can > cannot | must > need not | may > cannot
might > cannot | will > will not | would > would not | could > could not | should > should not | to be > not to be
who > who never | which is > which is not | that is > that is not
""",
    """
more than > less than | over > under | less than > more than | at least > at most | at most > at least
up to > at least | about > exactly | around > exactly | nearly > far from | almost > far from | in > before = after
by > after | since > until | until > since | from > before | after > before | before > after
""",
)
