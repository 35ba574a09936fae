/*
 * Common family names of Japan and how they are read: enough to tell a name from a department and a
 * mailbox of a person from that of a desk. Not a dictionary of names; that is MeCab's.
 */
#include <string.h>

#include "lib/detect/letters.h"
#include "lib/words/greeting_inside.h"
#include "lib/words/partners_inside.h"

#define LETTERS_MAX 4 /* of the longest of them */

struct surname {
	const char *kanji; /* as kanji_fold leaves it */
	const char *romaji;
};

/* clang-format off */
/* In the order of their bytes. */
static const struct surname surnames[] = {
	{"三好", "miyoshi"}, {"三宅", "miyake"}, {"三浦", "miura"}, {"上原", "uehara"}, {"上田", "ueda"},
	{"上野", "ueno"}, {"下田", "shimoda"}, {"中井", "nakai"}, {"中山", "nakayama"},
	{"中島", "nakajima nakashima"}, {"中川", "nakagawa"}, {"中村", "nakamura"},
	{"中田", "nakata nakada"}, {"中西", "nakanishi"}, {"中野", "nakano"}, {"丸山", "maruyama"},
	{"久保", "kubo"}, {"久保田", "kubota"}, {"五十嵐", "igarashi"}, {"井上", "inoue"}, {"今井", "imai"},
	{"今村", "imamura"}, {"伊藤", "ito"}, {"佐々木", "sasaki"}, {"佐久間", "sakuma"}, {"佐藤", "sato"},
	{"佐野", "sano"}, {"倉田", "kurata"}, {"児玉", "kodama"}, {"内田", "uchida"}, {"内藤", "naito"},
	{"別所", "bessho"}, {"前園", "maezono"}, {"前田", "maeda"}, {"加藤", "kato"}, {"北川", "kitagawa"},
	{"北村", "kitamura"}, {"千葉", "chiba"}, {"南", "minami"}, {"原", "hara"}, {"原田", "harada"},
	{"古川", "furukawa"}, {"古田", "furuta"}, {"古賀", "koga"}, {"吉原", "yoshihara"},
	{"吉岡", "yoshioka"}, {"吉川", "yoshikawa kikkawa"}, {"吉村", "yoshimura"}, {"吉田", "yoshida"},
	{"吉野", "yoshino"}, {"和田", "wada"}, {"土屋", "tsuchiya"}, {"坂井", "sakai"}, {"坂口", "sakaguchi"},
	{"坂本", "sakamoto"}, {"城所", "kidokoro"}, {"堀", "hori"}, {"堀内", "horiuchi"}, {"堀江", "horie"},
	{"堀田", "hotta"}, {"堤", "tsutsumi"}, {"塚本", "tsukamoto"}, {"増井", "masui"}, {"増田", "masuda"},
	{"大久保", "okubo"}, {"大城", "oshiro"}, {"大塚", "otsuka"}, {"大山", "oyama"}, {"大島", "oshima"},
	{"大川", "okawa"}, {"大木", "oki"}, {"大橋", "ohashi"}, {"大石", "oishi"}, {"大西", "onishi"},
	{"大谷", "otani"}, {"大野", "ono"}, {"天野", "amano"}, {"太田", "ota"}, {"奥村", "okumura"},
	{"奥田", "okuda"}, {"宇野", "uno"}, {"安田", "yasuda"}, {"安藤", "ando"}, {"安部", "abe"},
	{"宮下", "miyashita"}, {"宮城", "miyagi"}, {"宮崎", "miyazaki"}, {"宮本", "miyamoto"},
	{"宮沢", "miyazawa"}, {"宮田", "miyata"}, {"富田", "tomita"}, {"小山", "koyama oyama"},
	{"小島", "kojima ojima"}, {"小川", "ogawa"}, {"小松", "komatsu"}, {"小林", "kobayashi"},
	{"小森", "komori"}, {"小池", "koike"}, {"小沢", "ozawa"}, {"小田", "oda"}, {"小笠原", "ogasawara"},
	{"小西", "konishi"}, {"小野", "ono"}, {"小野寺", "onodera"}, {"尾崎", "ozaki"}, {"山下", "yamashita"},
	{"山中", "yamanaka"}, {"山内", "yamauchi yamanouchi"}, {"山口", "yamaguchi"}, {"山岸", "yamagishi"},
	{"山崎", "yamazaki yamasaki"}, {"山本", "yamamoto"}, {"山田", "yamada"}, {"岡", "oka"},
	{"岡崎", "okazaki"}, {"岡本", "okamoto"}, {"岡田", "okada"}, {"岡部", "okabe"}, {"岩崎", "iwasaki"},
	{"岩本", "iwamoto"}, {"岩田", "iwata"}, {"岸", "kishi"}, {"島", "shima"}, {"島田", "shimada"},
	{"島袋", "shimabukuro"}, {"川上", "kawakami"}, {"川口", "kawaguchi"}, {"川合", "kawai"},
	{"川島", "kawashima"}, {"川崎", "kawasaki"}, {"川村", "kawamura"}, {"川田", "kawada"},
	{"川端", "kawabata"}, {"工藤", "kudo"}, {"市川", "ichikawa"}, {"平井", "hirai"}, {"平山", "hirayama"},
	{"平田", "hirata"}, {"平野", "hirano"}, {"広瀬", "hirose"}, {"庄司", "shoji"}, {"後藤", "goto"},
	{"徳永", "tokunaga"}, {"成田", "narita"}, {"戸田", "toda"}, {"斎藤", "saito"}, {"新井", "arai"},
	{"日下部", "kusakabe"}, {"早川", "hayakawa"}, {"星野", "hoshino"}, {"服部", "hattori"},
	{"望月", "mochizuki"}, {"木下", "kinoshita"}, {"木村", "kimura"}, {"本田", "honda"},
	{"本間", "honma"}, {"杉山", "sugiyama"}, {"杉本", "sugimoto"}, {"杉浦", "sugiura"},
	{"村上", "murakami"}, {"村井", "murai"}, {"村田", "murata"}, {"東", "higashi azuma"},
	{"松下", "matsushita"}, {"松井", "matsui"}, {"松原", "matsubara"}, {"松尾", "matsuo"},
	{"松岡", "matsuoka"}, {"松本", "matsumoto"}, {"松村", "matsumura"}, {"松永", "matsunaga"},
	{"松浦", "matsuura"}, {"松田", "matsuda"}, {"林", "hayashi"}, {"柏木", "kashiwagi"},
	{"柳", "yanagi"}, {"柴田", "shibata"}, {"栗原", "kurihara"}, {"栗田", "kurita"}, {"根本", "nemoto"},
	{"桑原", "kuwabara kuwahara"}, {"桜井", "sakurai"}, {"梅田", "umeda"}, {"森", "mori"},
	{"森本", "morimoto"}, {"森田", "morita"}, {"植田", "ueda"}, {"榎本", "enomoto"}, {"樋口", "higuchi"},
	{"横山", "yokoyama"}, {"横田", "yokota"}, {"橋本", "hashimoto"}, {"武田", "takeda"}, {"武藤", "muto"},
	{"比嘉", "higa"}, {"水谷", "mizutani"}, {"水野", "mizuno"}, {"氷室", "himuro"}, {"永井", "nagai"},
	{"永田", "nagata"}, {"江口", "eguchi"}, {"池田", "ikeda"}, {"沢田", "sawada"}, {"河合", "kawai"},
	{"河野", "kono kawano"}, {"津田", "tsuda"}, {"浅井", "asai"}, {"浅田", "asada"}, {"浅野", "asano"},
	{"浜田", "hamada"}, {"清水", "shimizu"}, {"渡辺", "watanabe"}, {"渡部", "watanabe watabe"},
	{"滝沢", "takizawa"}, {"瀬名", "sena"}, {"熊谷", "kumagai"}, {"片山", "katayama"},
	{"片岡", "kataoka"}, {"牧野", "makino"}, {"田中", "tanaka"}, {"田口", "taguchi"}, {"田島", "tajima"},
	{"田所", "tadokoro"}, {"田村", "tamura"}, {"田辺", "tanabe"}, {"甲斐", "kai"}, {"白井", "shirai"},
	{"白石", "shiraishi"}, {"相沢", "aizawa"}, {"真田", "sanada"}, {"矢島", "yajima"}, {"矢部", "yabe"},
	{"矢野", "yano"}, {"石井", "ishii"}, {"石原", "ishihara"}, {"石塚", "ishizuka"}, {"石川", "ishikawa"},
	{"石橋", "ishibashi"}, {"石田", "ishida"}, {"磯部", "isobe"}, {"神田", "kanda"}, {"福井", "fukui"},
	{"福島", "fukushima"}, {"福田", "fukuda"}, {"秋山", "akiyama"}, {"窪田", "kubota"},
	{"竹内", "takeuchi"}, {"竹田", "takeda"}, {"篠原", "shinohara"}, {"米田", "yoneda"},
	{"若林", "wakabayashi"}, {"荒井", "arai"}, {"荒木", "araki"}, {"菅原", "sugawara"},
	{"菅野", "kanno sugano"}, {"菊地", "kikuchi"}, {"菊池", "kikuchi"}, {"菊田", "kikuta"},
	{"萩原", "hagiwara"}, {"落合", "ochiai"}, {"藤井", "fujii"}, {"藤原", "fujiwara"},
	{"藤本", "fujimoto"}, {"藤沢", "fujisawa"}, {"藤田", "fujita"}, {"西", "nishi"},
	{"西山", "nishiyama"}, {"西川", "nishikawa"}, {"西村", "nishimura"}, {"西田", "nishida"},
	{"谷口", "taniguchi"}, {"辻", "tsuji"}, {"近藤", "kondo"}, {"進藤", "shindo"}, {"遠藤", "endo"},
	{"酒井", "sakai"}, {"野口", "noguchi"}, {"野村", "nomura"}, {"野田", "noda"}, {"金城", "kinjo"},
	{"金子", "kaneko"}, {"鈴木", "suzuki"}, {"鎌田", "kamata kamada"}, {"長尾", "nagao"},
	{"長谷川", "hasegawa"}, {"長谷部", "hasebe"}, {"長野", "nagano"}, {"関", "seki"},
	{"関口", "sekiguchi"}, {"阿久津", "akutsu"}, {"阿部", "abe"}, {"青山", "aoyama"}, {"青木", "aoki"},
	{"須田", "suda"}, {"須藤", "sudo"}, {"飯塚", "iizuka"}, {"飯田", "iida"}, {"馬場", "baba"},
	{"高山", "takayama"}, {"高木", "takagi"}, {"高橋", "takahashi"}, {"高田", "takada takata"},
	{"高野", "takano"}, {"黒木", "kuroki"}, {"黒田", "kuroda"},
};
/* clang-format on */

/*
 * The first letters, kanji with several forms in their one form: `ends` has where each ends in `text`,
 * `folded` where in `into`. How many they are.
 */
static size_t fold(const char *text, size_t len, char into[LETTERS_MAX * LETTER_BYTES + 1],
    size_t ends[LETTERS_MAX + 1], size_t folded[LETTERS_MAX + 1])
{
	size_t used = 0, letters = 0;

	for (size_t at = 0; at < len && letters < LETTERS_MAX;) {
		used += partner_letter(kanji_fold(letter_next(text, len, &at)), into + used);
		ends[++letters] = at;
		folded[letters] = used;
	}
	into[used] = '\0';
	return letters;
}

static const struct surname *find(const char *kanji, size_t len)
{
	size_t low = 0, high = COUNT_OF(surnames);

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strncmp(kanji, surnames[mid].kanji, len);

		if (order == 0 && surnames[mid].kanji[len] != '\0')
			order = -1;
		if (order == 0)
			return &surnames[mid];
		if (order > 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

size_t surname_of(const char *text, size_t len, const char **romaji)
{
	char kanji[LETTERS_MAX * LETTER_BYTES + 1];
	size_t ends[LETTERS_MAX + 1] = {0}, folded[LETTERS_MAX + 1] = {0};

	for (size_t n = fold(text, len, kanji, ends, folded); n > 0; n--) {
		const struct surname *found = find(kanji, folded[n]);

		if (found == NULL)
			continue;
		if (romaji != NULL)
			*romaji = found->romaji;
		return ends[n];
	}
	return 0;
}

bool surname_romaji(const char *romaji)
{
	char one[ROMAJI_MAX + 1];

	for (size_t i = 0; i < COUNT_OF(surnames); i++) {
		for (const char *at = surnames[i].romaji; *at != '\0';) {
			size_t n = strcspn(at, " ");

			if (*at == *romaji) {
				(void)romaji_fold(at, n, one);
				if (strcmp(one, romaji) == 0)
					return true;
			}
			at += n + (at[n] == ' ');
		}
	}
	return false;
}
