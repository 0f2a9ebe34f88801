"""What the generator knows of each country: names, trades, legal forms, streets and towns, in the country's own script.

Written for this purpose; companies, streets with their numbers and postcodes are made up, towns are real or made up.
"a b*x y" stands for every a and b with every x and y behind it ("_" for a blank), so that names are as different from
each other as in a register. "native/latin" gives both forms as people of that country would write them: the Latin one
is not made by a transliteration library, so that the matcher's own transliteration is really tested.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """Vocabulary of one country.

    ``names`` and ``street`` are templates over {family} {trade} {legal} {brand} {towns}, {street} and {number};
    ``postcode`` is a pattern (# a digit, @ a letter) whose first digits belong to the town.
    """

    code: str
    weight: int
    names: tuple[str, ...]
    families: tuple[str, ...]
    trades: tuple[str, ...]
    legal: tuple[str, ...]
    street: str
    streets: tuple[str, ...]
    towns: tuple[str, ...]
    postcode: str


def parts_of(text: str) -> tuple[str, ...]:
    """Return the comma-separated parts of a text, with "a b*x y" multiplied out."""
    found: list[str] = []
    for part in (piece.strip() for piece in text.split(",")):
        left, star, right = part.partition("*")
        found += [f"{a}{b}".replace("_", " ") for a in left.split() for b in right.split()] if star else [part]
    return tuple(part for part in found if part)


def _country(
    code: str, weight: int, names: str, families: str, trades: str, legal: str, street: str, streets: str, towns: str,
    postcode: str,
) -> Country:  # fmt: skip
    lists = (parts_of(text) for text in (names, families, trades, legal))
    return Country(code, weight, *lists, street, parts_of(streets), parts_of(towns), postcode)


COUNTRIES = (
    _country(
        "DE", 16,
        "{trade} {family} {legal}, {family} {trade} {legal}, {brand} {trade} {legal}, {brand} {family} {legal}",
        "Stein Berg Linden Ober Unter Hohen Schwarz Roth Wind Eichen Grün Kalten Lauter Mühl Neu Rosen Sand Schön "
        "Tannen "
        "Wester Wolfs Ziegel Alten Birken*mann hofer bauer müller meier bach huber egger inger reiter schmidt wald",
        "Fleischwaren, Bäckerei, Molkerei, Käserei, Feinkost, Süßwaren, Verpackungen, Kosmetik, Textilwerke, "
        "Konserven, Gewürze, Spielwaren, Kaffeerösterei, Mühle, Teigwaren",
        "GmbH, GmbH & Co. KG, AG, KG, e.K., OHG",
        "{street} {number}",
        "Linden Ahorn Mühlen Hafen Brücken Ziegelei Schiller Goethe Kant Bismarck Lerchen Rosen Wiesen Feld "
        "Kloster Berg "
        "Schloss Brunnen Tal Ulmen Garten Fabrik*straße weg allee ring gasse",
        "Ilmen Oster Wester Nieder Ober Bad_Salz Kirch Wald Hohen Lang Neuen Alten Stein Grün*hausen stadt dorf "
        "burg bach "
        "heim feld roda kirchen, Kempten, Oldenburg, Bielefeld, Regensburg, Chemnitz, Münster, Erfurt, Nürnberg, Ulm",
        "#####",
    ),
    _country(
        "FR", 9,
        "{trade} {family} {legal}, Établissements {family} {legal}, {brand} {trade} {legal}, {trade} de {family}",
        "Mar Dela Bou Cham Per Beau Lam Vas Gué Mont Four Car Blan Ros Hé*chand croix langer pagne rault mont bert "
        "seur rin nier ton chet selin",
        "Conserverie, Fromagerie, Biscuiterie, Charcuterie, Laiterie, Chocolaterie, Cosmétiques, Emballages, "
        "Confiserie, Salaisons, Brasserie, Textiles",
        "SA, SARL, SAS, S.A.R.L., EURL",
        "{number} {street}",
        "rue_ avenue_ boulevard_ route_ chemin_*du_Moulin de_la_Gare des_Tilleuls Pasteur de_Lyon des_Vignes "
        "Victor_Hugo des_Forges des_Peupliers Voltaire du_Lavoir Jean_Jaurès de_Verdun des_Écoles du_Port",
        "Saint-Aubin Saint-Brice Saint-Élie Sainte-Foy Saint-Clair Villeneuve Châteauneuf Montreuil "
        "Beaulieu*-sur-Loire "
        "-sur-Mer -les-Bains -en-Bresse -le-Vieux -la-Forêt, Rennes, Amiens, Valence, Quimper, Mulhouse, Roubaix",
        "#####",
    ),
    _country(
        "ES", 8,
        "{trade} {family} {legal}, {trade} Hermanos {family} {legal}, {brand} {trade} {legal}, Hijos de {family} "
        "{legal}",
        "García_ Muñoz_ Ibáñez_ Peña_ Núñez_ Ortega_ Carrasco_ Zubiri_ Soler_ Vidal_ Gutiérrez_ Marín_*Domènech "
        "Fernández Cano Roldán Sáez Quiroga Beltrán Aznar Lozano Pastor Calvo Rubio Miró",
        "Conservas, Embutidos, Aceites, Quesos, Frutas, Hortalizas, Calzados, Textiles, Jamones, Mariscos, Harinas",
        "S.L., SL, S.A., S.L.U., S.Coop.",
        "{street} {number}",
        "Calle_ Avenida_ Carretera_de_ Polígono_Industrial_ Camino_de_*Mayor San_José Murcia Las_Eras del_Carmen "
        "Olivares El_Pla Los_Arcos Santa_Ana la_Ermita Miraflores Buenavista La_Vega Torrejón",
        "Villa Torre Campo Puebla Monte*nueva rrubia hermosa franca viejo alegre claros, Murcia, Lleida, Vigo, "
        "Logroño, "
        "Almería, Elche, Zaragoza, Jaén, Girona, Huesca, Lorca, Mataró, Utrera",
        "#####",
    ),
    _country(
        "IT", 8,
        "{trade} {family} {legal}, {family} {trade} {legal}, {brand} {trade} {legal}, Fratelli {family} {legal}",
        "Bell Mart Ferr Colomb Font Barb Pell Cont March Sant Ross Bianch Gall Mor Lomb Serr*ini etti ari oni acci "
        "ello "
        "ucci ieri aldi",
        "Salumificio, Caseificio, Pastificio, Oleificio, Molino, Conceria, Tessitura, Dolciaria, Conserve, "
        "Torrefazione",
        "S.r.l., SRL, S.p.A., SpA, S.n.c., Soc. Coop.",
        "{street} {number}",
        "Via_ Viale_ Corso_ Piazza_*Roma Garibaldi dell'Industria Europa San_Martino Italia dei_Mille Mazzini Cavour "
        "Matteotti Gramsci della_Repubblica Verdi Marconi Trento",
        "Castel Monte San_ Borgo Campo*novo fiorito vecchio maggiore lungo reale, Parma, Modena, Prato, Bari, Salerno, "
        "Verona, Biella, Cuneo, Ragusa, Terni, Lecce, Faenza, Jesi",
        "#####",
    ),
    _country(
        "PL", 6,
        "{trade} {family} {legal}, {brand} {trade} {legal}, Zakład {trade} {family}, {brand} {family} {legal}",
        "Kowal Wiśniew Zieliń Dąbrow Szymań Jabłoń Lewandow Kamiń Piotrow Grabow Pawłow Michal Jankow Wróblew*ski czyk "
        "ak owski",
        "Mleczarnia, Piekarnia, Ubojnia, Przetwórstwo, Mroźnia, Cukiernia, Opakowania, Drukarnia, Młyn, Garbarnia",
        "Sp. z o.o., sp. z o.o. sp.k., S.A., s.c.",
        "ul. {street} {number}",
        "Kościuszki, Przemysłowa, Mickiewicza, Polna, Fabryczna, Leśna, Składowa, Ogrodowa, Piłsudskiego, Zielona, "
        "Krótka, Młyńska, Słowackiego, Kolejowa, Lipowa, Sienkiewicza, Rolna, Warszawska, Dworcowa, Szkolna",
        "Wola Nowa_ Stara_ Biała_ Dąbr Jasion Kamien Lubar*wa Wieś Góra owa na ka, Łódź, Białystok, Rzeszów, Poznań, "
        "Kielce, Toruń, Opole, Lublin, Płock, Elbląg, Zamość",
        "##-###",
    ),
    _country(
        "HU", 4,
        "{family} {trade} {legal}, {brand} {trade} {legal}, {brand} {family} {legal}",
        "Nagy_ Szabó_ Horváth_ Kovács_ Tóth_ Fülöp_ Kiss_ Gyöngyösi_ Halász_ Bíró_*István Zoltán Gábor Tibor Ferenc "
        "Katalin László András",
        "Húsüzem, Pékség, Tejüzem, Konzervgyár, Malom, Édesség, Csomagoló, Baromfi",
        "Kft., Zrt., Bt., Nyrt.",
        "{street} {number}",
        "Petőfi_ Kossuth_ Rákóczi_ Ady_ Bem_ Árpád_ Béke_ Fő_ Gyár_ Malom_ Vörösmarty_*utca út tér köz",
        "Kis Nagy Új Balaton Tisza Duna*kőrös falva szentmiklós füred keszi várad, Győr, Szeged, Debrecen, Pécs, "
        "Miskolc, Kecskemét",
        "####",
    ),
    _country(
        "GB", 6,
        "{family} {trade} {legal}, {brand} {trade} {legal}, {family} & Sons {legal}, {brand} {family} {legal}",
        "Whit Ash Fair Har Pem Bar Lang Hol Brad Crans Thorn Win Stan Cole Red*field worth clough greaves berton low "
        "ley croft shaw wick combe",
        "Foods, Bakery, Dairies, Packaging, Confectionery, Seafoods, Meats, Knitwear, Toiletries, Preserves",
        "Ltd, Limited, PLC, LLP",
        "{number} {street}",
        "Station Mill Victoria Wharf Enterprise Chapel Riverside Church Albion Kiln Garden Quarry Castle Orchard*_Road "
        "_Lane _Street _Way _Park",
        "Little_ Great_ Upper_ North*wick ham ton ford bury stead, Leeds, Preston, Norwich, Cardiff, Grimsby, Dundee, "
        "Hull, Derby, Exeter, Perth, Bolton",
        "@## #@@",
    ),
    _country(
        "TR", 6,
        "{family} {trade} {legal}, {brand} {trade} {legal}, {brand} {trade} Sanayi ve Ticaret {legal}",
        "Yıl Öz Şah Çel Kıl Gün Ay Doğ Koç Ün Demir Kara Ak*maz türk in ik ıç eş dın an oğlu al taş bulut",
        "Tekstil, Gıda, Ambalaj, Konfeksiyon, Deri, Fındık, Zeytinyağı, Kozmetik, Plastik, İplik",
        "A.Ş., Ltd. Şti., San. ve Tic. A.Ş.",
        "{street} No: {number}",
        "Atatürk_ İnönü_ Barbaros_ Fatih_ Gül_ Lale_ Cumhuriyet_ İstasyon_ Zafer_ Pınar_ Çınar_*Caddesi Sokak Bulvarı, "
        "Organize Sanayi Bölgesi 3. Cadde, Sanayi Sitesi 14. Sokak, Ankara Yolu",
        "Bursa, Denizli, Gaziantep, İzmir, Ordu, Kayseri, Adana, Mersin, Konya, Uşak, Çorlu, Manisa, Malatya, Aydın, "
        "Tokat, Giresun, Kütahya, Çorum, Sivas, Bolu",
        "#####",
    ),
    _country(
        "VN", 5,
        "Công ty {legal} {trade} {brand}/{brand} {trade:latin} Co. Ltd, {brand} {trade:latin} JSC/{brand} "
        "{trade:latin} JSC",
        "Nguyễn, Trần, Lê, Phạm, Hoàng, Vũ, Đặng",
        "May mặc/Garment, Thủy sản/Seafood, Giày da/Footwear, Bao bì/Packaging, Gỗ/Furniture, Thực phẩm/Foodstuff",
        "TNHH, Cổ phần",
        "{number} {street}",
        "Đường số 5/Street No. 5, Đường số 12/Street No. 12, Khu công nghiệp Sóng Thần/Song Than Industrial Park, "
        "Đường Trần Hưng Đạo/Tran Hung Dao Street, Quốc lộ 1A/National Road 1A, Đường Lê Lợi/Le Loi Street, "
        "Đường Nguyễn Trãi/Nguyen Trai Street, Khu công nghiệp Tân Bình/Tan Binh Industrial Park, "
        "Đường Hai Bà Trưng/Hai Ba Trung Street",
        "Biên Hòa/Bien Hoa, Đà Nẵng/Da Nang, Cần Thơ/Can Tho, Hải Phòng/Hai Phong, Thuận An/Thuan An, Vũng "
        "Tàu/Vung Tau, "
        "Nha Trang, Bắc Ninh/Bac Ninh, Hải Dương/Hai Duong, Long An, Mỹ Tho/My Tho, Huế/Hue",
        "######",
    ),
    _country(
        "CN", 9,
        "{towns}{brand}{trade}{legal}/{towns:latin} {brand:latin} {trade:latin} {legal:latin}",
        "华/Hua, 瑞/Rui, 丰/Feng, 永/Yong, 金/Jin, 泰/Tai, 顺/Shun, 兴/Xing, 宏/Hong, 德/De, 安/An, 和/He, 盛/Sheng, "
        "美/Mei, 康/Kang, 隆/Long, 佳/Jia, 达/Da, 利/Li, 新/Xin, 诚/Cheng, 源/Yuan, 通/Tong, 海/Hai",
        "食品/Food, 服装/Garments, 玩具/Toys, 包装/Packaging, 化妆品/Cosmetics, 电子/Electronics, 家具/Furniture, "
        "纺织/Textile",
        "有限公司/Co. Ltd., 股份有限公司/Corporation Ltd., 厂/Factory",
        "{street}{number}号/No. {number} {street:latin}",
        "工业大道/Gongye Avenue, 人民路/Renmin Road, 中山路/Zhongshan Road, 解放路/Jiefang Road, 长安街/Changan "
        "Street, "
        "科技园/Keji Park, 建设路/Jianshe Road, 新华街/Xinhua Street, 振兴路/Zhenxing Road, 文化路/Wenhua Road, "
        "和平路/Heping Road, 东风路/Dongfeng Road, 滨江路/Binjiang Road, 花园街/Huayuan Street",
        "东莞/Dongguan, 宁波/Ningbo, 青岛/Qingdao, 汕头/Shantou, 苏州/Suzhou, 厦门/Xiamen, 义乌/Yiwu, 佛山/Foshan, "
        "温州/Wenzhou, 无锡/Wuxi, 杭州/Hangzhou, 中山/Zhongshan, 惠州/Huizhou, 烟台/Yantai, 南通/Nantong, "
        "泉州/Quanzhou, "
        "常州/Changzhou, 嘉兴/Jiaxing, 潍坊/Weifang, 台州/Taizhou",
        "######",
    ),
    _country(
        "JP", 3,
        "{legal}{family}{trade}/{family:latin} {trade:latin} {legal:latin}, "
        "{brand}{trade}{legal}/{brand:latin} {trade:latin} {legal:latin}",
        "山田/Yamada, 佐藤/Sato, 高橋/Takahashi, 中村/Nakamura, 小林/Kobayashi, 松本/Matsumoto, 清水/Shimizu, "
        "石井/Ishii, "
        "渡辺/Watanabe, 加藤/Kato, 藤田/Fujita, 村上/Murakami, 長谷川/Hasegawa, 近藤/Kondo",
        "食品/Shokuhin, 製菓/Seika, 水産/Suisan, 製紙/Seishi, 化粧品/Keshohin",
        "株式会社/Co. Ltd., 有限会社/Ltd.",
        "{street}{number}/{number} {street:latin}",
        "本町/Honcho, 栄町/Sakaemachi, 港町/Minatomachi, 緑ヶ丘/Midorigaoka, 中央/Chuo, 桜木町/Sakuragicho, "
        "元町/Motomachi",
        "大阪/Osaka, 名古屋/Nagoya, 札幌/Sapporo, 福岡/Fukuoka, 仙台/Sendai, 広島/Hiroshima, 静岡/Shizuoka, "
        "金沢/Kanazawa",
        "###-####",
    ),
    _country(
        "KR", 2,
        "{legal} {brand}{trade}/{brand:latin} {trade:latin} {legal:latin}",
        "한빛/Hanbit, 동원/Dongwon, 서진/Seojin, 대성/Daesung, 미래/Mirae, 신라/Silla, 청호/Chungho, 삼정/Samjung, "
        "금강/Geumgang, 우진/Woojin, 태평/Taepyung",
        "식품/Food, 섬유/Textile, 포장/Packaging, 화장품/Cosmetics",
        "주식회사/Co. Ltd., (주)/Inc.",
        "{street} {number}/{number} {street:latin}",
        "공단로/Gongdan-ro, 중앙로/Jungang-ro, 산업로/Saneop-ro, 강변로/Gangbyeon-ro, 평화로/Pyeonghwa-ro, "
        "세종로/Sejong-ro",
        "부산/Busan, 대구/Daegu, 인천/Incheon, 창원/Changwon, 울산/Ulsan, 수원/Suwon, 전주/Jeonju",
        "#####",
    ),
    _country(
        "IN", 6,
        "{brand} {trade} {legal}, {family} {trade} {legal}, Shri {brand} {trade} {legal}",
        "Sri Maha Jay Vija Ananda Kris Lak Rama Surya Dev Chandra Indra*lakshmi dev kumar raj shankar nath mani gopal "
        "priya nandan",
        "Exports, Spinning Mills, Garments, Foods, Spices, Leathers, Handicrafts, Polymers, Tea Estates, Knits",
        "Pvt. Ltd., Private Limited, Ltd., LLP",
        "{street} {number}",
        "Plot No., Survey No., SIPCOT Industrial Estate Plot, MIDC Plot, GIDC Estate Plot, Mount Road, M.G. Road, "
        "Palladam Road, Avinashi Road, Gandhi Nagar, Nehru Street, Station Road",
        "Tiruppur, Ahmedabad, Ludhiana, Kochi, Surat, Noida, Karur, Erode, Rajkot, Panipat, Kanpur, Salem, Indore, "
        "Vapi, Guntur, Nashik, Jaipur, Moradabad",
        "######",
    ),
    _country(
        "BD", 4,
        "{brand} {trade} {legal}, {family} {trade} {legal}",
        "Abdul_ Mohammad_ Nur_ Shah_ Kazi_ Mir_*Rahman Hossain Chowdhury Karim Siddique Akter Alam Kabir",
        "Fashions, Apparels, Knit Composite, Sweaters, Denim, Textiles, Jute Mills",
        "Ltd., Limited",
        "{street} {number}",
        "Holding No., Plot, Dhaka EPZ Plot, Tongi I/A House, Ashulia Road, Konabari Main Road, Mirpur Road, "
        "Bypass Road House",
        "Gazipur, Savar, Chattogram, Narayanganj, Ashulia, Tongi, Narsingdi, Cumilla, Bogura, Mymensingh",
        "####",
    ),
    _country(
        "GR", 2,
        "{family} {trade} {legal}/{family:latin} {trade:latin} {legal:latin}, "
        "{brand} {trade} {legal}/{brand:latin} {trade:latin} {legal:latin}",
        "Παπαδόπουλος/Papadopoulos, Νικολάου/Nikolaou, Γεωργίου/Georgiou, Δημητρίου/Dimitriou, Οικονόμου/Oikonomou, "
        "Αντωνίου/Antoniou, Βασιλείου/Vasileiou, Ιωάννου/Ioannou, Κωνσταντίνου/Konstantinou, Μακρής/Makris",
        "Ελαιουργεία/Elaiourgeia, Τρόφιμα/Trofima, Γαλακτοκομικά/Galaktokomika, Κονσέρβες/Konserves, "
        "Υφαντουργία/Yfantourgia",
        "Α.Ε./S.A., Ε.Π.Ε./Ltd, Ο.Ε./O.E.",
        "{street} {number}",
        "Λεωφόρος Αθηνών/Leoforos Athinon, Ερμού/Ermou, Βενιζέλου/Venizelou, Εθνική Οδός/Ethniki Odos, "
        "Καποδιστρίου/Kapodistriou, Σολωμού/Solomou, Κοραή/Korai",
        "Θεσσαλονίκη/Thessaloniki, Βόλος/Volos, Πάτρα/Patra, Ηράκλειο/Irakleio, Λάρισα/Larisa, Καβάλα/Kavala",
        "### ##",
    ),
    _country(
        "UA", 2,
        "{legal} «{brand} {trade}»/{brand:latin} {trade:latin} {legal:latin}, "
        "{legal} «{family} {trade}»/{family:latin} {trade:latin} {legal:latin}",
        "Шевченко/Shevchenko, Коваленко/Kovalenko, Бондаренко/Bondarenko, Мельник/Melnyk, Кравчук/Kravchuk, "
        "Ткаченко/Tkachenko, Олійник/Oliinyk, Поліщук/Polishchuk, Савчук/Savchuk",
        "Молокозавод/Molokozavod, Хлібокомбінат/Khlibokombinat, Олія/Oliia, Кондитер/Kondyter, Текстиль/Tekstyl",
        "ТОВ/TOV, ПрАТ/PrAT",
        "{street}, {number}",
        "вул. Заводська/Zavodska St, вул. Соборна/Soborna St, просп. Миру/Myru Ave, вул. Франка/Franka St, "
        "вул. Шкільна/Shkilna St, вул. Київська/Kyivska St, вул. Садова/Sadova St",
        "Вінниця/Vinnytsia, Полтава/Poltava, Львів/Lviv, Черкаси/Cherkasy, Луцьк/Lutsk, Житомир/Zhytomyr, Суми/Sumy",
        "#####",
    ),
    _country(
        "TH", 2,
        "บริษัท {brand} {trade} {legal}/{brand:latin} {trade:latin} {legal:latin}",
        "ไทย/Thai, สยาม/Siam, ทอง/Thong, เจริญ/Charoen, มิตร/Mit, ศรี/Sri, วัฒนา/Wattana, บุญ/Bun, ชัย/Chai, พร/Phon, "
        "แสง/Saeng, รุ่ง/Rung",
        "ฟู้ดส์/Foods, การ์เม้นท์/Garment, แพ็คเกจจิ้ง/Packaging, ซีฟู้ด/Seafood",
        "จำกัด/Co. Ltd.",
        "{number} {street}/{number} {street:latin}",
        "ถนนสุขุมวิท/Sukhumvit Road, ถนนพระราม 2/Rama 2 Road, ถนนเทพารักษ์/Theparak Road, ถนนเพชรเกษม/Phet Kasem Road, "
        "ถนนมิตรภาพ/Mittraphap Road",
        "ชลบุรี/Chonburi, สมุทรสาคร/Samut Sakhon, เชียงใหม่/Chiang Mai, ระยอง/Rayong, สงขลา/Songkhla, "
        "นครปฐม/Nakhon Pathom",
        "#####",
    ),
    _country(
        "MA", 2,
        "شركة {brand} {trade} {legal}/{brand:latin} {trade:latin} {legal:latin}",
        "الأطلس/Atlas, المغرب/Maghreb, النور/Nour, السلام/Salam, الريف/Rif, الوفاء/Wafa, الأمل/Amal, البحر/Bahr, "
        "الياسمين/Yasmine, الفجر/Fajr",
        "للأغذية/Aliments, للنسيج/Textile, للأسماك/Pêche, للزيوت/Huiles",
        "ش.م./SA, ش.م.م./SARL",
        "{number} {street}/{number} {street:latin}",
        "شارع محمد الخامس/Avenue Mohammed V, الحي الصناعي/Zone Industrielle, شارع الحسن الثاني/Avenue Hassan II, "
        "شارع الزرقطوني/Boulevard Zerktouni, زنقة فاس/Rue de Fès",
        "أكادير/Agadir, طنجة/Tanger, الدار البيضاء/Casablanca, فاس/Fès, آسفي/Safi, تطوان/Tétouan",
        "#####",
    ),
)  # fmt: skip
