"""Sites for the matcher's tests: the same ones in ten scripts, and near-namesakes that must stay apart."""

from __future__ import annotations

from tacit_matcher.records import Site

TEN_SCRIPTS: dict[str, tuple[Site, Site]] = {
    "Latin": (
        Site("Fábrica de Conservas Peñarredonda, S.L.", "C/ Añoranza, 12", "A Coruña", "15001", "España"),
        Site("FABRICA CONSERVAS PENARREDONDA SL", "Calle Anoranza 12", "A CORUNA", "15001", "ES"),
    ),
    "Cyrillic": (
        Site("ООО «Швейная фабрика Рассвет»", "ул. Заводская, 15", "Иваново", "153000", "Россия"),
        Site("Shveinaia Fabrika Rassvet OOO", "ul. Zavodskaia 15", "Ivanovo", "153000", "RU"),
    ),
    "Greek": (
        Site("Ελαιουργική Μεσσηνίας Α.Ε.", "Οδός Αθηνών 45", "Καλαμάτα", "241 00", "Ελλάδα"),
        Site("Elaiourgiki Messinias AE", "Odos Athinon 45", "Kalamata", "24100", "Greece"),
    ),
    "Han": (
        Site("深圳市华美纺织有限公司", "宝安区工业路88号", "深圳", "518101", "中国"),
        Site("ShenZhen HuaMei Textile Co., Ltd.", "BaoAn GongYe 88", "Shenzhen", "518101", "China"),
    ),
    "Kana": (
        Site("サクラアパレル株式会社", "ミナト町 4-13", "フクイ", "910-0858", "JP"),
        Site("Sakura Garment", "Minato 4-13", "Fukui", "9100858", "Japan"),
    ),
    "Hangul": (
        Site("주식회사 한빛섬유", "공단로 77", "대구", "41500", "KR"),
        Site("HanBich Textile", "GongDanLo 77", "DaeGu", "41500", "South Korea"),
    ),
    "Arabic": (
        Site("شركة النور للنسيج", "شارع المصنع ٢١٤", "طنطا", "31511", "EG"),
        Site("Lnwr Textile", "Shar Factory 214", "Tnta", "31511", "Egypt"),
    ),
    "Hebrew": (
        Site("מפעל הדגן בע״מ", "רחוב התעשיה 118", "חולון", "5885118", "IL"),
        Site("Hdgn Factory", "Rhvb Ht'shyh 118", "Hvlvn", "5885118", "Israel"),
    ),
    "Thai": (
        Site("บริษัท ไทยฟู้ด จำกัด", "ถนน 331", "ชลบุรี", "20110", "TH"),
        Site("Aithyfud Co. Ltd.", "Thnn 331", "Chlburi", "20110", "Thailand"),
    ),
    "Georgian": (
        Site("შპს ქართული ღვინო", "აღმაშენებლის 128", "თელავი", "2200", "GE"),
        Site("Kartuli Ghvino", "Aghmasheneblis 128", "Telavi", "2200", "Georgia"),
    ),
}
"""Script -> the site in that script, and the same site as a list in Latin letters has it."""

NEAR_NAMESAKES: dict[str, tuple[Site, Site]] = {
    "two plants of one company, by number": (
        Site("Nordblech Werk 1 GmbH", "Industriestraße 5", "Emden", "26721", "DE"),
        Site("Nordblech Werk 2 GmbH", "Am Hafen 77", "Emden", "26723", "DE"),
    ),
    "two plants of one company, by hall": (
        Site("Sunrise Garments Unit A", "Plot 12, Ashulia Road", "Savar", "1344", "BD"),
        Site("Sunrise Garments Unit B", "Plot 71, Zirabo Bazar", "Savar", "1341", "BD"),
    ),
    "another company at the same estate": (
        Site("Atlas Foods Ltd", "Unit 4, Riverside Industrial Estate", "Hull", "HU3 4AB", "GB"),
        Site("Quayside Bakery Ltd", "Unit 9, Riverside Industrial Estate", "Hull", "HU3 4AB", "GB"),
    ),
    "a common surname in one town": (
        Site("García López, María", "", "Zaragoza", "", "ES"),
        Site("García Ruiz, Antonio", "", "Zaragoza", "", "ES"),
    ),
    "one name in two countries": (
        Site("Delta Textiles Ltd", "Main Road 12", "Georgetown", "", "GY"),
        Site("Delta Textiles Ltd", "Main Road 12", "Georgetown", "", "US"),
    ),
    "collecting points of one dairy": (
        Site('AB "Rokvilos pienas" Jurkų psp', "Jurkų k., Pilviškių sen.", "Vilkaviškio raj.", "", "LT"),
        Site('AB "Rokvilos pienas" Vaišų psp', "Vaišų k., Pajevonio sen.", "Vilkaviškio raj.", "", "LT"),
    ),
    "one building, another door": (
        Site("Molkerei Alpsee", "Seestraße 10", "Füssen", "87629", "DE"),
        Site("Fischzucht Weber", "Seestraße 10", "Füssen", "87629", "DE"),
    ),
    "one name in two towns": (
        Site("Conservas Marjal, S.L.", "", "Lugo", "", "ES"),
        Site("Conservas Marjal, S.L.", "", "Almería", "", "ES"),
    ),
    "plants told apart by a roman number": (
        Site("Golden Thread Knitwear II", "12 Canal Road", "Faisalabad", "38000", "PK"),
        Site("Golden Thread Knitwear III", "88 Satiana Road", "Faisalabad", "38040", "PK"),
    ),
}
"""Why they are apart -> two sites that must never be called assessed for one another."""
