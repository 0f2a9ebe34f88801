"""Word tables of the scheme: our own, written down from common knowledge of the languages, not taken from any list.

They are part of the scheme's version: every member must have the same ones. Legal forms follow the usual abbreviations
(those in ISO 20275 for the countries that supply most); trade words and street words are dictionary words; given names
are the common ones of each language. All are in the form that :func:`tacit_matcher.text.plain` gives.
"""

from __future__ import annotations

_LEGAL_FORMS = """
ab abp ad adi ae ag aksjeselskap aktiebolag aktiengesellschaft aktieselskab aps as asa at ay bhd bt bv bvba cia co
comp company companie compagnie compania corp corporation cpt cv da dd doo dooel doel dwc ead eg eingetragene ei eirl
ek ekfm ent eood epe eu eurl ev ewiv fie fze fzc fzco fzllc gbr gesellschaft gesmbh ggmbh gie gmbh gmbhco gug
haftungsbeschrankt hb hf hgb iks inc incorporated ind inh iva jsc ojsc cjsc ooo oao zao pao kb kd kft kg kgaa kk kkt
kom komanditna ks kv ky lda limitada limited limitata llc llp lp ltd ltda ltdco lte mb mbb mbh nc nyrt oe oo ood og
ohg osakeyhtio ou oy oyj partg partgmbb pc pjsc plc plt private privat prl prp pt pte pty publ pvt qsc rt sa sab sac
saci sad sae sagl saic sal sam sarl sarlu sas sasu sat sati sca scl sccl scoop scop scp scpa scs sdad sdn se sec sf
sia sk sko sl sll slne slp slu snc soc sociedad sociedade societa societatea societe soccoop sp spa spj spk spolecnost
spol spolka spzoo srl srlcr srls srlu sro ss sti tbk tic tld tmi tov ug uab ukio ul unip unipessoal vof vos xb xxk zoo
zrt zs zt zuk kb kub gmbhcokg gmbhcoohg ltdsti anonim sirket sirketi limitet komandit kooperativ
"""
_LEGAL_PHRASES = """
joint stock company|limited liability company|limited liability|limited company|public limited company|private limited
|sociedad anonima|sociedad limitada|sociedad de responsabilidad limitada|sociedad cooperativa|sociedade anonima
|societe anonyme|societe a responsabilite limitee|societa per azioni|societa a responsabilita limitata|societa agricola
|gesellschaft mit beschrankter haftung|mit beschrankter haftung|besloten vennootschap|naamloze vennootschap
|anonim sirketi|limited sirketi|ltd sti|sanayi ve ticaret|san ve tic|san tic|sdn bhd|cong ty co phan|cong ty tnhh
|cong ty|co phan|tnhh|mot thanh vien|sp z o o|sp z oo|sp zoo|spolka z ograniczona odpowiedzialnoscia|spolka akcyjna
|spolka jawna|spolka cywilna|spol s r o|s r o|d o o|a s|s a|uzdaroji akcine bendrove|akcine bendrove
|individuali imone|sabiedriba ar ierobezotu atbildibu|korlatolt felelossegu tarsasag|egyeni vallalkozo|egyeni ceg
|obshchestvo s ogranichennoi otvetstvennostyu|kabushiki kaisha|yugen kaisha|jusig hoesa|jusighoesa|zhushihuishe
|youxiangongsi|s a r l|s a s u|s a s|s p a|s n c|s l u|s l l|s l|b v|n v
|s de r l de c v|s de rl de cv|sa de cv|s a de c v|de c v|de cv|de r l|de rl|e v|e k
"""
LEGAL_FORMS = frozenset(_LEGAL_FORMS.split())
LEGAL_PHRASES = tuple(
    sorted({phrase.strip().replace("\n", "") for phrase in _LEGAL_PHRASES.split("|")}, key=lambda p: (-len(p), p))
)

_SCRIPT_PHRASES: tuple[tuple[str, str], ...] = (
    (
        " ",
        "股份有限公司 有限责任公司 有限責任公司 有限公司 股份公司 株式会社 有限会社 合同会社 ㈱ 주식회사 유한회사 ㈜",
    ),
    (" ", "บริษัท จำกัด มหาชน شركة ش.م.م בע״מ লিমিটেড लिमिटेड प्राइवेट"),
    (" group ", "集团 集團 グループ 그룹"),
    (" factory ", "工厂 工廠 工場 厂 廠 공장 โรงงาน مصنع מפעל कारखाना কারখানা"),
    (" textile ", "纺织品 纺织 紡織 섬유 방직 للنسيج النسيج"),
    (" garment ", "服装 服裝 制衣 製衣 服饰 服飾 成衣 アパレル 의류 어패럴 للملابس ملابس"),
    (" food ", "食品 식품 อาหาร للأغذية أغذية"),
    (" trading ", "贸易 貿易 商事 무역 للتجارة التجارة"),
    (" industry ", "实业 實業 工业 工業 산업 للصناعات الصناعات"),
    (" shoes ", "鞋业 鞋業 제화"),
    (" toy ", "玩具"),
    (" furniture ", "家具 傢俱 가구"),
    (" electronic ", "电子 電子 전자"),
    (" plastic ", "塑料 塑胶 塑膠 플라스틱"),
    (" packaging ", "包装 包裝 포장"),
    (" ", "省 市 区 區 县 縣 镇 鎮 乡 村 路 街 道 号 號 都 府 郡 町 丁目 番地"),
)
SCRIPT_PHRASES = tuple(
    sorted(((word, put) for put, words in _SCRIPT_PHRASES for word in words.split()), key=lambda p: (-len(p[0]), p))
)
"""What is said before transliteration, longest first: legal forms and trade words of scripts without word breaks."""

_CONCEPTS = """
butcher: fleischerei metzgerei schlachterei fleischwaren fleischhauerei butcher butchers boucherie boucher charcuterie
  carniceria carnicas carnica carnicos carnes macelleria carni talho slagerij slager vleeswaren masarnia slakteri
  slagteri wurstwaren wurst wurste fleisch meat meats meatpacking viande viandes salumi salumificio embutidos mesos
  hus hustermek lihatoostus mesine zaklady miesne miesny miesna ubojnia ubojna vagohid carnic fleischhandel jamones
  fleischgrosshandel fleischgrosshandlung schlachthof abattoir matadero slaughterhouse slachthuis macello jatka
bakery: backerei backer konditorei bakery bakeries boulangerie boulanger patisserie panaderia pasteleria panificio
  bakkerij piekarnia bageri kepykla pagari pagarikoda pek pekseg pekarna pekaren panificadora pasticceria cukiernia
  cukraszda brot bread confectionery
dairy: molkerei kaserei kase molkereien dairy dairies laiterie fromagerie fromage lacteos queseria quesos queso
  quesera caseificio latticini formaggi kaas mleczarnia mleczarska mlecz mejeri mejerier pienas pieno pienine tejuzem
  tej sajt milch milchhof milk cheese creamery lapte lactate mlekara juust juustu piim piima sutas suris surio zuivel
  ost
fish: fisch fische fischerei fischhandel fish fisheries seafood seafoods poisson poissons poissonnerie peche maree
  pescados pescado pescaderia mariscos pesca pesquera pesce ittica vis visserij ryby rybna rybny fisk fiske kala
  kalatoostus zuvis zuvies zuvu hal halaszat krabbenkutter kutter congelados buque barco pesquero congelador
  fischereibetrieb fischereigenossenschaft
egg: ei eier eierhandel eierpackstelle packstelle egg eggs oeufs huevos ous uova ovos eieren jaja jaj agg kiausiniai
  kiausiniu tojas tojo muna granja avicola geflugel geflugelhof poultry volaille volailles aves pluimvee drob baromfi
farm: bauernhof hof farm farms ferme gut gutshof biohof biobauernhof hofladen landwirtschaft landwirt agrar agricola
  agraria agricole azienda boerderij gospodarstwo gard gaard talu ukis ukio ferma gazdasag gazdaszovetkezet osgazdasag
  ostermelo finca explotacion exploitation earl gaec scea ganaderia mezogazdasagi agro
restaurant: restaurant restoran restorans restorant gasthof gasthaus gaststatte gastronomie wirtshaus hotel pension
  cafe kavine kohvik kantine kuche kuchen catering partyservice party restauracja jadlodajnia etterem vendeglo
  ristorante trattoria pizzeria pizza bar bistro cantine mensa canteen kitchen traiteur soogituba soogikoht pubi pub
  imbiss kulinaria kulinaarne krogs cateringas valgykla grossverpflegung zentralkuche hostel hostal jahimaja
shop: laden shop store stores kauplus parduotuve prekyba markt supermarkt supermarket supermercado supermercados
  tienda sklep bolt uzlet negozio winkel butik market kaufland verbrauchermarkt frischemarkt lebensmittelmarkt konsum
  teenindusjaam tankla selver pood poed
food: food foods lebensmittel nahrungsmittel feinkost alimentacion alimentaria alimentos alimentari alimentaire
  alimentaires aliments productos producto products product produkte elelmiszer maisto toit toidu toidud
  levensmiddelen spozywcze spozywczy livsmedel delikatessen frische frischdienst tiefkuhlkost naturkost bio organic
  gida nutricion
fruit: fruit fruits obst gemuse frucht fruchte frutas frutta frutos verduras hortofruticola vegetables vegetable
  legumes groenten groente owoce warzywa gyumolcs zoldseg puuvili vaisiai gront salat produce
storage: lager kuhlhaus kuhllager tiefkuhl tiefkuhlhaus storage warehouse cold coldstore koelhuis frigo frigorificos
  frigorifico frigorificas frigorifica almacen deposito entrepot magazzino chlodnia magazyn hutohaz ladu sandelis
logistics: logistik logistics logistique logistica transport transporte transportes transports spedition speditions
  trasporti expedition cargo freight fracht distribution distribuciones distribuidora distribuidor distribuzione
  vertrieb distribucion distributie groothandel grosshandel wholesale mayorista logistikaladu logistikacentrum nave
trading: handel handels handelsgesellschaft handelshaus trading trade trader traders commerce comercial comercio
  commerciale negoce import export imports exports impex importexport imp exp kereskedelmi handlowe handlowa ticaret
  dis ic vente verkauf sales kaubandus
factory: factory factories fabrik fabrica fabrique fabbrica fabriek fabryka fabrika manufacturing manufacture
  manufacturer manufacturers manufacturera manufactory mfg works werk werke betrieb produktion produktions production
  productions produzione produccion producao zaklad zaklady gyar uzem tehas gamykla gamyba usine planta plant zavod
  ergostasio mill mills maker making process processing verarbeitung verarbeitungs
textile: textile textiles textil textilien tekstil tessile tessitura tessuti fabric fabrics weaving spinning dyeing
  knitting knit knits knitwear knitters yarn yarns cotton tekstilna dokuma iplik orme wool filatura vai det soi sewing
garment: garment garments apparel apparels clothing clothes fashion fashions moda wear sportswear konfeksiyon giyim
  confeccoes confecciones confection confezioni kleidung bekleidung odziez ruhazat fashionwear denim jeans outerwear
  uniform uniforms may socks hosiery lingerie underwear
shoes: shoe shoes footwear schuhe calzados calzado calzature calcados chaussures schoenen obuwie ayakkabi giay leather
  leatherware leathergoods
toy: toy toys spielwaren spielzeug jouets juguetes
furniture: furniture mobel muebles mobili meubles mobilya meubelen
electronic: electronic electronics electric electrical elektro elektronik elektronika electronica
plastic: plastic plastics plastik kunststoff kunststoffe plasticos plastica
packaging: packaging packing verpackung verpackungen emballages embalajes embalaje imballaggi opakowania ambalaj pack
  printing print druck druckerei imprimerie imprenta stampa
company: company firma firm firme enterprise enterprises unternehmen unternehmensgruppe entreprise empresa impresa
  group groupe gruppo grupo gruppe grup holding holdings international internacional internazionale intl global world
  worldwide europe european europa associates association partner partners partnership branch filiale filial
  niederlassung zweigniederlassung standort sucursal agency verein union unternehmergesellschaft nachfolger inhaber
  inh service services servicios servizi dienste dienstleistungen dienstleistungs verwaltung verwaltungs management
  beteiligungs general industry industries industrie industrial industriales industria industriale industrias industri
  sanayi san technology technologies tech new brothers bros sons son hijos hijo fils figli gebr gebruder soehne sohne
  hermanos hermano hnos fratelli hnas family familie famille kooperatyvas cooperativa cooperative genossenschaft coop
  cooperatie erzeugergemeinschaft zum zur centre center zentrum centro centrum haus house institut institute stiftung
  foundation fundacion betriebsgesellschaft unternehmungen
wine: wine wines winery vineyard vineyards weingut wein weinkellerei vino vinos bodega bodegas cantina cellar cellars
  domaine chateau brewery brauerei cervecera distillery brennerei brauhaus
health: klinik kliniken klinikum krankenhaus hospital seniorenheim altenheim pflegeheim werkstatt werkstatten
  lebenshilfe diakonie caritas care
public: stadt gemeinde kommune commune ville ayuntamiento comune municipality council kommun vallald universitat
  university universite universidad ministerium ministry ministere school schule schulen ecole department lasteaed
  kindergarten kita kindertagesstatte vaikudarzelis lopselis darzelis kool kooli koolisookla gumnaasium haigla
  hooldekodu mokykla gimnazija skola iskola ovoda szkola przedszkole colegio escuela instituto landkreis landratsamt
  statsbygg advokatni kancelar rechtsanwalte
receiving: sammelstelle milchsammelstelle sammlung punktas psp spp pss supirkimo paruosu skyrius padalinys cechas
  surinkimo kokogoosna
"""
_GIVEN_NAMES = """
adam adolf adrian agnes albert albrecht aldona alejandro alessandro alex alexander alexandra alfonso alfred alois ana
anastasia andre andrea andreas andrej andres andrew andrius andrzej angel angela anita anja anna anne anni anton
antonia antonio arne arno arnold arthur arturo arvo august axel balazs barbara beate bela benjamin bernard bernd
bernhard birgit bjorn bruno carl carlo carlos carmen carsten cesar charles christa christian christiane christina
christine christof christoph christopher claudia claus clemens concepcion cornelia cristina daniel daniela david denis
detlef diana diego dieter dietmar dirk dolores dominik dora eckhard eduard eduardo edmund edward egon elena elisabeth
elke emil emilia emilio enn enrique eric erich erik erika erna ernst erwin esteban ester eugen eva evelyn fabian
felipe felix ferdinand ferenc fernando filip florian francesco francisca francisco franciszek francois frank franz
frederic friedhelm friedrich fritz gabor gabriel gabriele gabriela geert georg george georges gerald gerard gerd gerda
gerhard gernot gertrud giedrius giovanni gisela giuseppe gottfried grazyna gregor guenter guenther gunter gunther
guido guillermo gustav gustavo gyorgy gyula hanna hannes hans harald harry hartmut heike heiko heinrich heinz helena
helga helmut henri henryk herbert hermann hildegard holger horst hubert hugo ignacio igor imre ines inge ingo ingrid
irena irene iris isabel isidro istvan ivan jaan jacek jacob jacqueline jaime jakob jan jana janis janos janusz javier
jean jens jerzy jesus joachim joaquin joerg johan johann johanna johannes john jolanta jonas jorg jorge jose josef
joseph jozef jozsef jozsefne juan juana juergen julia julian julio jurgen juri jutta kai kaido kalev karel karin karl
karla karol karoly kaspar katalin katarina katarzyna katharina kathrin katrin kaupo kazimierz kerstin kevin klaus
konrad konstantin kristian krzysztof kurt lajos lars laszlo laura laurent leo leon leonhard leszek lina linda lorenz
lorenzo lothar louis lucas lucia ludger ludwig luigi luis lukas lutz magdalena maik maire manfred manuel manuela marc
marcel marcin marco marcos marek margarita margit margarete maria mariana marianne mariano marie mario marion marius
mark marko markus marta martha martin martina martine mateo mathias matthias max maximilian mercedes mia michael
michaela michal michel miguel mihaly mihkel miklos milan miroslav monica monika nadja nicolas nicole nikolaus nils
norbert olaf olga oliver oscar oskar oswald otto pablo paolo pascal patricia patrick patrizia paul paula paulo pavel
pedro peeter peter petr petra philipp philippe pierre pilar pio piotr rafael rafal rainer ralf ralph ramon ramunas
raul regina reiner reinhard reinhold renata renate rene ricardo richard rita robert roberto rodrigo roger roland rolf
roman ronald rosa rosario rudolf ruediger rudiger rupert rita sabine salvador samuel sandor sandra santiago saulius
sebastian sergio siegfried siegmund sigrid silvia silke simon simone sonja stanislaw stefan stefanie steffen stephan
stephanie steven susana susanne sven sylvia szilard tadeusz tamas tanja teresa theo theodor theresia thierry thomas
thorsten tibor tiit tobias tomas tomasz toivo torsten udo ulf ulrich ulrike urs ursula ute uwe valdas vello vera
veronika vicente victor viktor vincent vinzenz virginia vladimir volker waldemar walter waltraud werner wilfried
wilhelm wilhelmine willi willy witold wojciech wolfgang xaver yvonne zbigniew zdenek zdzislaw zoltan zsolt
"""
_STOP_WORDS = """
and au aus aux avec con d da das de dei del della delle dem den der des di die do dos du e ehem el et for formerly
from fur i im in known la las le les los mit nach of og och por pour pri the u und van vom von y zu zum zur
"""
CONCEPTS = {
    word: concept
    for line in _CONCEPTS.replace("\n  ", " ").strip().splitlines()
    for concept, words in [line.split(": ")]
    for word in (concept, *words.split())
}
"""Trade word -> what it means, so that a translated name keeps it; it says little about which company."""
GIVEN_NAMES = frozenset(_GIVEN_NAMES.split())
STOP_WORDS = frozenset(_STOP_WORDS.split())
_SITE_WORDS = """
unit plant werk factory hall halle hala building bldg building block plot lot phase shed floor gate tower wing zone
sector sektor nave edificio local bloque parcela manzana lote planta batiment bat hrsz stall tor haus house room
khasra survey gat dag holding section sec line section cell compartment warehouse store shop suite ste apt flat
"""
SITE_WORDS = frozenset(_SITE_WORDS.split())
"""Words before a number or letter that tell one building or plant of a company from another."""
ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}

_STREET_TYPES = """
strasse str street st straat ulica ul ulitsa avenue avenida av ave avda avd aven road rd rde calle c cl rue r route
rte platz pl plaza place plac plein g gatve gata gatan gade gate utca u utja ut uti tee tn mnt pst puiestee maantee
tanav vag vagen vej vei veg weg wg laan lane ln drive dr boulevard blvd bd bulvar bul cad cadde caddesi sok sokak sk
mah mahalle mahallesi via viale v corso piazza strada str rua travessa trav carretera ctra cra crta camino cno paseo
po passeig carrer chemin ch che allee al alee aleja al alle quai impasse imp ring gasse g hwy highway parkway pkwy
jalan jl duong duc pho soi thanon ban number no nr num numero n km kilometre iela prospekt pr pereulok per tanya dulo
kulterulet major ter korut park bei am im an der
"""
_AREA_WORDS = """
industrial industrie industriegebiet industriepark industriestr industries gewerbegebiet gewerbepark gewerbering
poligono pol pgno polig zona zone estate area park village district dist distt tehsil thana upazila taluka province
prov city town township commune ward county region state governorate municipality muang amphur amphoe tambon khan
sangkat srok khum phum quan huyen xa phuong thanh tinh thi tp kcn kp ap thon kel kec kab desa dusun kecamatan
kabupaten kelurahan kota kawasan industri osb osbm organize bolgesi sanayi bolge ilce raj rajono rajonas r k km mstl
sen sav m vald linn maakond kula kulas voivodeship near opp opposite behind post po box ps gram postfach casilla
apartado cs bp road street economic development export processing epz sez midc gidc sipcot sidco phase section sector
plot building floor unit block house hall shed lot gate number new old main national highway bypass cross first second
third east west north south haupt dorf bahnhof schul garten kirch berg linden wald ring markt muhlen kloster feld
wiesen india china vietnam bangladesh cambodia indonesia thailand turkey turkiye pakistan myanmar taiwan korea japan
malaysia philippines lanka portugal spain italy france germany deutschland poland romania bulgaria hungary egypt
morocco tunisia mexico brazil usa america kossuth petofi rakoczi dozsa bem kozponti telep hrsz ortsteil ot gemeente
"""
STREET_TYPES = frozenset(_STREET_TYPES.split())
AREA_WORDS = frozenset(_AREA_WORDS.split())
"""Words of addresses that occur in most towns, or stand for no place at all."""
_CITY_WORDS = """
bad sankt st san santa santo saint sainte sant alt neu new ot ortsteil stadt city town m k r raj rajonas rajono sav
vald linn maakond mstl sen kommune cedex gmina okres villa dist district na a b d im in ob an am der den bei upon nad
pod sur les lez
"""
CITY_WORDS = frozenset(_CITY_WORDS.split())
"""Words of a town's name that other towns share, or that are left out as often as not."""
BY_WHICH = frozenset(("a", "am", "an", "auf", "bei", "im", "in", "nad", "ob", "on", "ot", "pod", "sur", "upon", "vor"))
"""What follows these in a town's name tells it from towns that have a postcode of their own."""
