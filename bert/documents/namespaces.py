"""Names of the namespaces whose links show no text: files, and categories.

The siteinfo of a dump has today's name of each namespace and none of its older ones, which the wikitext still uses.
The table is that of the Wikipedias' siteinfo (`action=query&meta=siteinfo&siprop=namespaces|namespacealiases`) in 2022,
names and aliases as MediaWiki's languages/messages/Messages*.php and each wiki's settings give them, without the
English names, which work on every wiki.
"""

from __future__ import annotations

from functools import cache

_ENGLISH_FILE, _ENGLISH_CATEGORY = frozenset(("file", "image")), frozenset(("category",))

# language: names of File | names of Category
_TABLE = """\
ab: Афаил, Изображение, Файл | Акатегориа, Категория
ace: Berkas, Beureukaih, Gambar | Kategori, Kawan
af: Beeld, Lêer | Kategorie
ak:  | Nkyekyem
als: Bild, Datei | Kategorie
alt: Изображение, Файл | Категория
am: ስዕል | መደብ
ami: Faylo, 图像, 圖像, 圖片, 文件, 档案, 檔案 | Kasasiwasiw, 分类, 分類
an: Imachen, Imagen | Categoría
ang: Biliþ, Ymele | Flocc
ar: صورة, ملف | تصنيف
arc: ܠܦܦܐ | ܣܕܪܐ
ary: صورة, فيشي, ملف | تصنيف
arz: صورة, ملف | تصنيف
as: चित्र, চিত্র, চিত্ৰ | CAT, श्रेणी, শ্রেণী, শ্ৰেণী
ast: Archivu, Ficheru, Imagen, Imaxe, Imaxen | Categoría
atj: Natisinahikaniwoc | Tipanictawin
av: Изображение, Файл | Категория
avk: Ewava, Imagen, Iyeltak, Изображение | Loma
awa: फाइल | श्रेणी
ay: Archivo, Imagen | Categoría
az: Fayl, Şəkil | Kateqoriya
azb: تصویر, فایل | بؤلمه
ba: Изображение, Рәсем, Файл | Категория, Төркөм
ban: Berkas, Gambar | Kategori
bar: Bild, Datei | Kategorie
bat-smg: Abruozdielis, Vaizdas | Kategorija, Kateguorėjė
bcl: Ladawan | Kategorya
be: Выява, Файл | Катэгорыя
be-x-old: Выява, Файл | Катэгорыя
bg: Картинка, Файл | Категория
bh: चित्र | श्रेणी
bjn: Barakas, Berkas, Gambar | Kategori, Tumbung
blk: ဖုဲင် | ကဏ္ဍ
bm: Fichier | Catégorie
bn: চিত্র | বিষয়শ্রেণী, വിഭാഗം
bpy: ছবি | থাক
br: Restr, Skeudenn | Rummad
bs: Datoteka, Slika | Kategorija
bug: Berkas, Gambar | Kategori
bxr: Изображение, Файл | Категори, Категория
ca: Fitxer, Imatge | Categoria
cbk-zam: Archivo, Imagen | Categoría
cdo: 图像, 圖像, 文件, 档案, 檔案 | 分类, 分類
ce: Изображение, Сурт, Файл, Хlум | Кадегар, Категори, Тоба
ceb: Imahen, Payl | Kategoriya
ch: Litratu | Katigoria
ckb: پەڕگە | پ, پۆل
co: Immagine | Categoria
crh: Fayl, Resim, Ресим, Файл | Kategoriya, Категория
cs: Obrázok, Soubor | Kategorie
csb: Grafika, Òbrôzk | Kategòrëjô
cu: Ви́дъ, Видъ, Дѣло | Категория, Катигорїꙗ, Катигорї
cv: Изображение, Ӳкерчĕк | Категори
cy: Delwedd | Categori
da: Billede, Fil | Kategori
dag: Lahabali kɔligu | Pubu
de: Bild, Datei | Kategorie
din: Apamduööt | Bekätakthook
diq: Dosya | Kategori, Kategoriye
dsb: Bild, Dataja, Wobraz | Kategorija
dty: चित्र | श्रेणी
dv: ފައިލު, ފައިލް | ޤިސްމު
el: Αρχείο, Εικόνα | Κατηγορία
eml: Immagine | Categoria
eo: Dosiero | Kategorio
es: Archivo, Imagen | CAT, Categoría
et: Fail, Pilt | Kategooria
eu: Fitxategi, Irudi | Kategoria
ext: Archivu, Imagen | Categoria, Categoría
fa: تصویر, پرونده | رده
ff: Fichier | Catégorie
fi: Kuva, Tiedosto | Luokka
fiu-vro: Pilt | Katõgooria
fo: Mynd | Bólkur
fr: Fichier | Catégorie
frp: Fichiér, Émâge | Catègorie
frr: Bild, Datei | Kategorie
fur: Figure, Immagine | Categorie
fy: Ofbyld | Kategory
ga: Íomhá | Catagóir, Rang
gag: Dosya, Dosye, Resim | Kategori, Kategoriya
gan: 图像, 圖像, 文件, 文檔, 档案, 檔案 | 分类, 分類
gcr: Fiché | Katégori
gd: Faidhle | Roinn-seòrsa
gl: Arquivo, Ficheiro, Imagem, Imaxe | Categoría
glk: تصویر, فاىل, پرونده | جرگه, رده
gn: Imagen, Ta'ãnga | Ñemohenda
gom: फायल | वर्ग, श्रेणी
gor: Berkas, Gambar | Dalala
got: 𐍆𐌴𐌹𐌻𐌰 | 𐌷𐌰𐌽𐍃𐌰
gu: ચિત્ર, દ્રશ્ય-શ્રાવ્ય (મિડિયા) | CAT, શ્રે, શ્રેણી
guw: Wepo | Adà
gv: Coadan | Ronney
hak: 图像, 圖像, 文件, 档案, 檔案 | 分类, 分類
haw: Kiʻi, Waihona | Māhele
he: קו, קובץ, תמונה | קט, קטגוריה
hi: चित्र | श्र, श्रेणी
hif:  | vibhag
hr: DT, Datoteka, F, Slika | CT, KT, Kategorija
hsb: Bild, Dataja, Wobraz | Kategorija
ht: Fichye, Imaj | Kategori
hu: Fájl, Kép | Kategória
hy: Պատկեր | Կատեգորիա
hyw: Պատկեր | Ստորոգութիւն
ia: Imagine | Categoria
id: Berkas, Gambar | Kategori
ie:  | Categorie
ig: Usòrò, Ákwúkwó orünotu | Ébéonọr, Òtù
ii: 图像, 文件, 档案 | 分类
ilo: Papeles | Kategoria
inh: Изображение, Файл | ОагӀат
io: Arkivo, Imajo | Kategorio
is: Mynd | Flokkur
it: Immagine | CAT, Categoria
ja: ファイル, 画像 | カテゴリ
jbo: datnyvei | klesi
jv: Barkas, Gambar | Kategori
ka: სურათი, ფაილი | კატეგორია
kaa: Su'wret, Swret, Сурет, سۋرەت | Kategoriya, Sanat, Санат, سانات
kab: Tugna | Taggayt
kbd: Файл | Категориэ, Категория
kbp: Fichier | Catégorie
kcg: Fail | Sa
kg: Fisye | Kalasi
kk: Swret, Сурет, سۋرەت | Sanat, Санат, سانات
kl: Billede, Fiileq, Fil | Kategori, Sumut atassuseq
km: រូបភាព, ឯកសារ | ចំណាត់ក្រុម, ចំណាត់ថ្នាក់ក្រុម, ចំនាត់ថ្នាក់ក្រុម
kn: ಚಿತ್ರ | ವರ್ಗ
ko: 그림, 파일 | 분류
koi: Изображение, Файл | Категория
krc: Изображение, Файл | Категория
ks: فَیِل | زٲژ
ksh: Beld, Belld, Bild, Datei | Kategorie, Katejori, Kattejori, Saachjrop, Saachjropp, Saachjrupp, Sachjrop
ku: Wêne, پەڕگە | Kategorî, پۆل
kv: Изображение, Файл | Категория
kw: Restren | Class, Klass
ky: Файл | Категория
la: Fasciculus, Imago | Categoria
lad: Archivo, Dossia, Dosya, Imagen | Categoría, Kateggoría, Katēggoría
lb: Bild, Fichier | Kategorie
lbe: Изображение, Сурат | Категория
lez: Şəkil, Изображение, Файл | Категория
lfn: Fix | Categoria
li: Aafbeilding, Afbeelding, Plaetje | Categorie, Kategorie
lij: Immaggine, Immagine | Categoria, Categorîa
lld: Immagine | Categoria
lmo: Archivi, Immagine, Imàjine | Categoria, Categuria
ln: Fichier | Catégorie
lo: ຮູບ | ໝວດ
lrc: أسگ, تصویر, جانیا, ڤارئسگأر | دأسە
lt: Vaizdas | Kategorija
ltg: Fails | Kategoreja
lv: Attēls | Kategorija
mad: Bhengkek, Gambar | Bhângsa
mai: फाइल | CA, श्रेणी
map-bms: Barkas, Gambar | Kategori
mdf: Изображение, Няйф | Категорие, Категория
mg: Sary | Catégorie, Sokajy
mhr: Изображение, Файл | Категорий, Категория
min: Berkas, Gambar | Kategori
mk: Податотека, Слика | Категорија
ml: ചി, ചിത്രം, പ്ര, പ്രമാണം | വ, വി, വിഭാഗം, വർഗ്ഗം
mn: Зураг, Файл | Ангилал
mni: ꯐꯥꯏꯜ | ꯃꯆꯥꯈꯥꯏꯕ
mnw: ဝှာင် | ကဏ္ဍ
mr: चित्र | वर्ग
mrj: Изображение, Файл | Категори, Категория
ms: Fail, Imej | Kategori
mt: Stampa | Kategorija
mwl: Arquivo, Fexeiro, Ficheiro, Imagem | Catadorie, Categoria
my: ဖိုင် | ကဏ္ဍ
myv: Артовкс, Изображение | Категория
mzn: تصویر, پرونده | رج, رده
nah: Imagen, Īxiptli | Categoría, Neneuhcāyōtl
nap: Fiùra, Immagine | Categoria, Categurìa
nds: Bild, Datei | Kategorie
nds-nl: Afbeelding, Bestaand, Ofbeelding | Categorie, Kategorie, Kattegerie
ne: चित्र | श्रेणी
new: किपा | पुचः
nia: Berkas, Gambar | Kategori
nl: Afbeelding, Bestand | Categorie
nn: Bilde, Fil | Kategori
no: Bilde, Fil | Kategori
nqo: ߞߐߕߐ߮ | ߦߌߟߡߊ
nrm: Fichier | Catégorie
nso: Seswantšho | Setensele
nv: Eʼelyaaígíí | Tʼááłáhági átʼéego
oc: Fichièr, Imatge | Categoria
olo: Failu, Kuva | Kategourii
or: ଫାଇଲ | ବିଭାଗ, ଶ୍ରେଣୀ
os: Изображение, Ныв, Файл | Категори
pa: ਤਸਵੀਰ | ਸ਼੍ਰੇਣੀ
pcd: Fichier | Catégorie
pcm:  | Katigori
pdc: Bild, Datei, Feil | Abdeeling, Kategorie
pfl: Bild, Dadai, Datei | Kadegorie, Kategorie, Sachgrubb
pi: पटिमा | विभाग
pl: Grafika, Plik | Kategoria
pms: Figura, Immagine | Categorìa
pnb: تصویر, فائل | گٹھ
pnt: Αρχείον, Εικόνα, Εικόναν | Κατηγορίαν
ps: انځور, دوتنه | وېشنيزه
pt: Arquivo, Ficheiro, Imagem | Categoria
pwn: sineqetj a vecik, 图像, 圖像, 圖片, 文件, 档案, 檔案 | pinapapilipiliqan, 分类, 分類
qu: Imagen, Rikcha | Katiguriya
rm: Datoteca | Categoria
rmy: Chitro, Fişier, Imagine | Shopni
rn: Dosiye | Umuce
ro: Fişier, Fișier, Imagine | Categorie
roa-rup: Fişier, Fișier, Imagine | Categorie
roa-tara: Immagine | Categoria
ru: Изображение, Файл | К, Категория
rue: Зображення, Изображение, Файл | Категория, Катеґорія
rw: Dosiye | Ikiciro
sa: चित्रं, चित्रम्, सञ्चिका | वर्गः
sah: Билэ, Изображение, Ойуу | Категория
sat: ᱨᱮᱫ | ᱛᱷᱚᱠ
sc: Immàgini | Categoria
scn: Immagine, Mmàggini | Catigurìa
sd: عڪس, فائل | زمرو
se: Bilde, Fiila, Kuva | Kategoriija
sg: Fichier | Catégorie
sh: Datoteka, Slika, Слика | Kategorija, Категорија
shi: Afaylu | Taggayt
shn: ၾၢႆႇ | ပိူင်ထၢၼ်ႈ
si: ගොනුව, රූපය | ප්‍රවර්ගය
sk: Obrázok, Súbor | Kategória
skr: فائل | ونکی
sl: Slika | Kategorija
smn: Kuva, Tiätuvuárkká | Luokka
sq: Figura, Skeda | Kategori, Kategoria
sr: Datoteka, Slika, Датотека, Слика | Kategorija, Категорија
srn: Afbeelding, Gefre | Categorie, Guru
stq: Bielde, Bild | Kategorie
su: Gambar | Kategori
sv: Bild, Fil | Kategori
sw: Faili, Picha | Jamii
szl: Grafika, Plik | Kategoria, Kategoryjo
szy: tangan, 图像, 圖像, 圖片, 文件, 档案, 檔案 | kakuniza, 分类, 分類
ta: படிமம் | பகுப்பு
tay: biru' na zayzyuwaw, biru’ na zayzyuwaw, 图像, 圖像, 圖片, 文件, 档案, 檔案 | zyuwaw na, 分类, 分類
tcy: ಫೈಲ್ | ವರ್ಗೊ
te: దస్త్రం, ఫైలు, బొమ్మ | వర్గం
tet: Arquivo, Imagem, Imajen | Kategoria, Kategoría
tg: Акс | Гурӯҳ
th: ภาพ, ไฟล์ | หมวดหมู่
ti: ፋይል | መደብ
tk: Faýl | Kategoriýa
tl: Talaksan | Kategorya, Kaurian
tn: Setshwantsho | Karolo
tpi: Fail | Grup
tr: Dosya, Resim | KAT, Kategori
trv: Patas bntasan, 图像, 圖像, 圖片, 文件, 档案, 檔案 | Snakun, 分类, 分類
tt: Räsem, Изображение, Рәсем, Файл | Törkem, Категория, Төркем
tw:  | Nkyekyεmu
ty: Fichier | Catégorie
tyv: Изображение, Файл | Аңгылал, Категория
udm: Изображение, Суред, Файл | Категория
ug: ھۆججەت | تۈر
uk: Зображення, Изображение, Файл | Категория, Категорія
ur: تصویر, فائل, ملف | زمرہ
uz: Fayl, Tasvir | Kategoriya, Turkum
vec: Immagine, Imàjine | Categoria
vep: Fail, Pilt | Kategorii
vi: Hình, Phương tiện, Tập tin | Thể loại
vls: Afbeelding, Ofbeeldienge | Categorie
vo: Magod, Ragiv | Klad
wa: Imådje | Categoreye
war: Fayl, Paypay | Kaarangay
wo: Dencukaay | Catégorie, Wàll
wuu: 图像, 圖像, 文件, 档案, 檔案 | 分类, 分類
xal: Боомг, Зург, Изображение | Янз, Әәшл
xmf: სურათი, ფაილი | კატეგორია
yi: בילד, טעקע, תמונה | קאַטעגאָריע, קאטעגאריע
yo: Fáìlì, Àwòrán | Ẹ̀ka
za: 图像, 圖像, 文件, 档案, 檔案 | 分类, 分類
zea: Afbeelding, Plaetje | Categorie
zh: F, 图像, 图片, 圖像, 圖片, 文件, 档案, 檔案 | CAT, 分类, 分類
zh-classical: 图像, 圖像, 文件, 档案, 檔案 | CAT, 分类, 分類
zh-min-nan: tóng-àn, 图像, 圖像, 文件, 档案, 檔案 | Lūi-pia̍t, 分类, 分類
zh-yue: 图, 图像, 圖, 圖像, 文件, 档, 档案, 檔, 檔案 | 分类, 分類, 类, 類"""


# MediaWikiTitleCodec::splitTitleString drops marks of direction.
_DIRECTIONS = dict.fromkeys(map(ord, "\u200e\u200f\u202a\u202b\u202c\u202d\u202e"))


def normal(name: str) -> str:
    """A namespace as MediaWiki compares it: any case, spaces for underscores.

    >>> normal("Tập_tin")
    'tập tin'
    """
    # The capital of Turkish i becomes two characters in lower case.
    return " ".join(name.replace("_", " ").replace("İ", "i").translate(_DIRECTIONS).split()).lower()


def _names(column: str) -> frozenset[str]:
    return frozenset(name for name in map(normal, column.split(",")) if name)


@cache
def _by_language() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """{language: names of File, names of Category}, the English ones with them."""
    found = {"en": (_ENGLISH_FILE, _ENGLISH_CATEGORY)}
    for line in _TABLE.split("\n"):
        language, _, names = line.partition(":")
        files, _, categories = names.partition("|")
        found[language] = (_ENGLISH_FILE | _names(files), _ENGLISH_CATEGORY | _names(categories))
    return found


@cache
def every_file_name() -> frozenset[str]:
    """Names, as `normal` gives them, of the namespace of files in all languages."""
    return frozenset().union(*(files for files, _ in _by_language().values()))


@cache
def without_text(language: str) -> frozenset[str]:
    """Names, as `normal` gives them, of a language's namespaces of files and categories, the English ones with them.

    Args:
        language: a wiki's, as a dump's `xml:lang` has it. `de-at` is read as `de`; for one that is not in the table,
            the names of all languages are taken. They are not elsewhere: a film is called "Imagine: John Lennon".
    """
    table, code = _by_language(), language.lower()
    own = table.get(code) or table.get(code.partition("-")[0])
    return frozenset().union(*(own or (names for both in table.values() for names in both)))
