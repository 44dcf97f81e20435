"""The same sentences in many languages, in our own words, for encodings."""

from __future__ import annotations

WESTERN = {
    "English": "The river was high, and the ferry did not cross it for a week. Müller’s café — naïve — stayed.",
    "French": "La rivière était haute, et le bac ne put la traverser pendant une semaine. Où êtes-vous, ma sœur ?",
    "German": "Der Fluss war in jenem Frühling hoch, und die Fähre fuhr eine Woche lang nicht hinüber. Größe zählt.",
    "Spanish": "El río creció aquella primavera, y el bote no cruzó en toda la semana. ¿Qué pasó, señor? Mañana.",
    "Portuguese": "O rio encheu, e a balsa não o atravessou. As estações são longas; você já não crê, à noite.",
    "Italian": "Il fiume era alto, perché pioveva; così il traghetto non lo attraversò più. È già lì, laggiù.",
    "Swedish": "Ån var hög den våren, och färjan gick inte över på en vecka. Breven låg kvar på värdshuset så länge.",
    "Danish": "Åen stod højt det forår, og færgen sejlede ikke over den i en uge. Brevene lå på kroen så længe.",
    "Finnish": "Joki oli sinä keväänä korkealla, eikä lautta päässyt yli viikkoon. Kirjeet jäivät majataloon pöydälle.",
    "Icelandic": "Áin var há það vor, og ferjan fór ekki yfir hana í viku. Bréfin lágu á kránni þangað til sjatnaði.",
    "Dutch": "De rivier stond hoog dat voorjaar; één week voer de pont niet. Ideeën genoeg, maar geen reünie.",
    "Catalan": "El riu era alt aquella primavera, i la barca no el va creuar. Què és això? És l’únic camí, col·lega.",
}
RUSSIAN = "Река была высокой той весной, и паром не ходил через неё целую неделю. Письма лежали в трактире."
JAPANESE = "その春は川の水が高く、渡し船は一週間も出なかった。手紙は水が引くまで宿に置かれていた。"
CZECH = (
    "Řeka byla toho jara vysoká a přívoz ji týden nepřejel. Žádný člověk nepřišel, dopisy ležely v šenku příliš dlouho."
)
POLISH = "Rzeka była tej wiosny wysoka, więc prom nie pływał przez tydzień. Listy leżały w gospodzie, aż opadła."
HUNGARIAN = (
    "A folyó magas volt, ezért a komp egy hétig nem kelt át rajta. A levelek a fogadóban, jól őrzött "
    "fiókban, sűrű köd között várták a fűtő jöttét."
)
SLOVENE = (
    "Reka je bila visoka, zato splav ni plul čez teden dni. Pisma so čakala v gostišču, nihče ni prišel "
    "čez, žal še danes ne."
)
# By encodings that are no Windows-1252.
OTHERS = {
    **dict.fromkeys(("cp1251", "koi8-r", "iso8859-5", "cp866", "mac-cyrillic"), RUSSIAN),
    **dict.fromkeys(("shift-jis", "euc-jp"), JAPANESE),
    "gb18030": "那年春天河水很高，渡船一个星期没有开过。信件一直放在客栈里，直到水退了。",
    "big5": "那年春天河水很高，渡船一個星期沒有開過。信件一直放在客棧裡，直到水退了。",
    "euc-kr": "그해 봄에는 강물이 높아서 나룻배가 한 주 동안 건너지 못했다. 편지는 여관에 있었다.",
    "cp1253": "Το ποτάμι ήταν ψηλό εκείνη την άνοιξη και το πλοίο δεν το πέρασε για μία εβδομάδα.",
    "cp1255": "הנהר היה גבוה באותו אביב והמעבורת לא חצתה אותו במשך שבוע.",
    "cp1256": "كان النهر مرتفعا في ذلك الربيع ولم تعبره العبارة أسبوعا كاملا.",
    "cp1257": "Tą pavasarį upė buvo aukšta, ir keltas per ją nesikėlė visą savaitę. Laiškai gulėjo užeigoje.",
    "cp1254": "O bahar ırmak yüksekti ve vapur bir hafta boyunca karşıya geçmedi. Mektuplar üç gün handa kaldı.",
    "cp850": "Der Fluß war in jenem Frühling höher, und die Fähre fuhr für eine Woche lang nicht über ihn hinüber.",
    "mac-roman": "La rivière était haute ce printemps-là, et les élèves ne purent la traverser. Où êtes-vous passés ?",
    **dict.fromkeys(("cp1250", "iso8859-2"), CZECH),
}
CENTRAL = {"Czech": CZECH, "Polish": POLISH, "Hungarian": HUNGARIAN, "Slovene": SLOVENE}
