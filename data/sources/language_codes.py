"""Which words name a language: the codes and English names of ISO 639-1.

Settings and headers are checked against it, so that no text is learned as another
language's because of a slip.
"""

import re

from babelet.core.errors import BabeletError

# Two-letter code, three-letter codes, English name.
_TABLE = """
aa,aar Afar; ab,abk Abkhazian; ae,ave Avestan; af,afr Afrikaans; ak,aka Akan; am,amh
Amharic; an,arg Aragonese; ar,ara Arabic; as,asm Assamese; av,ava Avaric; ay,aym
Aymara; az,aze Azerbaijani; ba,bak Bashkir; be,bel Belarusian; bg,bul Bulgarian;
bi,bis Bislama; bm,bam Bambara; bn,ben Bengali; bo,bod,tib Tibetan; br,bre Breton;
bs,bos Bosnian; ca,cat Catalan; ce,che Chechen; ch,cha Chamorro; co,cos Corsican;
cr,cre Cree; cs,ces,cze Czech; cu,chu Church_Slavic; cv,chv Chuvash; cy,cym,wel Welsh;
da,dan Danish; de,deu,ger German; dv,div Divehi; dz,dzo Dzongkha; ee,ewe Ewe;
el,ell,gre Greek; en,eng English; eo,epo Esperanto; es,spa Spanish; et,est Estonian;
eu,eus,baq Basque; fa,fas,per Persian; ff,ful Fulah; fi,fin Finnish; fj,fij Fijian;
fo,fao Faroese; fr,fra,fre French; fy,fry Western_Frisian; ga,gle Irish; gd,gla
Scottish_Gaelic; gl,glg Galician; gn,grn Guarani; gu,guj Gujarati; gv,glv Manx; ha,hau
Hausa; he,heb Hebrew; hi,hin Hindi; ho,hmo Hiri_Motu; hr,hrv Croatian; ht,hat Haitian;
hu,hun Hungarian; hy,hye,arm Armenian; hz,her Herero; ia,ina Interlingua; id,ind
Indonesian; ie,ile Interlingue; ig,ibo Igbo; ii,iii Sichuan_Yi; ik,ipk Inupiaq; io,ido
Ido; is,isl,ice Icelandic; it,ita Italian; iu,iku Inuktitut; ja,jpn Japanese; jv,jav
Javanese; ka,kat,geo Georgian; kg,kon Kongo; ki,kik Kikuyu; kj,kua Kuanyama; kk,kaz
Kazakh; kl,kal Kalaallisut; km,khm Khmer; kn,kan Kannada; ko,kor Korean; kr,kau
Kanuri; ks,kas Kashmiri; ku,kur Kurdish; kv,kom Komi; kw,cor Cornish; ky,kir Kirghiz;
la,lat Latin; lb,ltz Luxembourgish; lg,lug Ganda; li,lim Limburgan; ln,lin Lingala;
lo,lao Lao; lt,lit Lithuanian; lu,lub Luba-Katanga; lv,lav Latvian; mg,mlg Malagasy;
mh,mah Marshallese; mi,mri,mao Maori; mk,mkd,mac Macedonian; ml,mal Malayalam; mn,mon
Mongolian; mr,mar Marathi; ms,msa,may Malay; mt,mlt Maltese; my,mya,bur Burmese;
na,nau Nauru; nb,nob Norwegian_Bokmål; nd,nde North_Ndebele; ne,nep Nepali; ng,ndo
Ndonga; nl,nld,dut Dutch; nn,nno Norwegian_Nynorsk; no,nor Norwegian; nr,nbl
South_Ndebele; nv,nav Navajo; ny,nya Chichewa; oc,oci Occitan; oj,oji Ojibwa; om,orm
Oromo; or,ori Oriya; os,oss Ossetian; pa,pan Panjabi; pi,pli Pali; pl,pol Polish;
ps,pus Pushto; pt,por Portuguese; qu,que Quechua; rm,roh Romansh; rn,run Rundi;
ro,ron,rum Romanian; ru,rus Russian; rw,kin Kinyarwanda; sa,san Sanskrit; sc,srd
Sardinian; sd,snd Sindhi; se,sme Northern_Sami; sg,sag Sango; sh,hbs Serbo-Croatian;
si,sin Sinhala; sk,slk,slo Slovak; sl,slv Slovenian; sm,smo Samoan; sn,sna Shona;
so,som Somali; sq,sqi,alb Albanian; sr,srp Serbian; ss,ssw Swati; st,sot
Southern_Sotho; su,sun Sundanese; sv,swe Swedish; sw,swa Swahili; ta,tam Tamil; te,tel
Telugu; tg,tgk Tajik; th,tha Thai; ti,tir Tigrinya; tk,tuk Turkmen; tl,tgl Tagalog;
tn,tsn Tswana; to,ton Tonga; tr,tur Turkish; ts,tso Tsonga; tt,tat Tatar; tw,twi Twi;
ty,tah Tahitian; ug,uig Uighur; uk,ukr Ukrainian; ur,urd Urdu; uz,uzb Uzbek; ve,ven
Venda; vi,vie Vietnamese; vo,vol Volapük; wa,wln Walloon; wo,wol Wolof; xh,xho Xhosa;
yi,yid Yiddish; yo,yor Yoruba; za,zha Zhuang; zh,zho,chi Chinese; zu,zul Zulu
"""
_ROWS = [row.split(None, 1) for row in _TABLE.replace("\n", " ").split(";")]
_CODES = [codes.split(",") for codes, _ in _ROWS]
# Earlier codes that files still have.
_EARLIER = {"iw", "in", "ji", "jw", "mo"}
# Codes of countries that are taken for those of their languages.
_COUNTRIES = {"cn": "zh", "cz": "cs", "dk": "da", "gr": "el", "jp": "ja", "ua": "uk"}
_NAMES = {
    name.strip().replace("_", " ").casefold(): codes[0]
    for codes, (_, name) in zip(_CODES, _ROWS, strict=True)
}
_TWO_LETTERS = {codes[0] for codes in _CODES} | _EARLIER
_THREE_LETTERS = {code for codes in _CODES for code in codes[1:]}
_TAG = re.compile(r"([a-z]{2,3})((?:-[a-z0-9]{1,8})*)")
_PRECISE = re.compile(r"([a-z]{2,3})(-[a-z]{4})?(-(?:[a-z]{2}|[0-9]{3}))?")


def names_language(text: str) -> bool:
    """Tells whether a cell of a table is the code or English name of a language.

    "de", "pt_BR", "zh-Hans", "deu" and "German" are; "lamp" is not.
    """
    folded = text.strip().replace("_", "-").casefold()
    found = _PRECISE.fullmatch(folded)
    codes = _TWO_LETTERS | _THREE_LETTERS
    return folded in _NAMES or bool(found and found[1] in codes)


def require_codes(key: str, languages: tuple[str, ...]) -> None:
    """Refuses what is no code of a language.

    There are thousands of three-letter codes; any is taken.

    Args:
        key: The setting, for the message.
        languages: Its value.

    Raises:
        BabeletError: One of them is none.
    """
    for language in languages:
        folded = language.strip().replace("_", "-").casefold()
        found = _TAG.fullmatch(folded.partition("@")[0])
        if found and (len(found[1]) == 3 or found[1] in _TWO_LETTERS):
            continue
        likely = _NAMES.get(folded) or _COUNTRIES.get(folded)
        hint = f"did you mean {likely}?" if likely else "see the table of ISO 639"
        raise BabeletError(
            f"{key} names no language that there is: {language!r}",
            expected="codes of languages, such as de, fi or zh-Hans",
            received=language,
            remedy=f"change {key}; {hint}",
        )
