/* Excel 97 and later (MS-XLS), and 5 and 95: records with cells, row by row. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/extract/office.h"
#include "lib/extract/ole_excel.h"

#define BOF         0x0809
#define END         0x000a
#define FILE_PASS   0x002f
#define CODE_PAGE   0x0042
#define BOUND_SHEET 0x0085
#define STRINGS     0x00fc
#define LABEL_SST   0x00fd
#define LABEL       0x0204
#define RICH_STRING 0x00d6
#define NUMBER      0x0203
#define RK          0x027e
#define MUL_RK      0x00bd
#define FORMULA     0x0006
#define STRING      0x0207
#define NOTE        0x001c
#define TEXT_OBJECT 0x01b6
#define HEADER      0x0014
#define FOOTER      0x0015
#define BIFF_8      0x0600

#define MARGIN_MOST ((size_t)65536) /* a header has 255 letters */

/* ---- cells ---- */

/* What stands before a cell: a line of its own for each row. */
static void begin_cell(struct excel *x, uint64_t row)
{
	wide_unit(&x->out, row == x->row ? '\t' : '\n');
	x->row = (uint32_t)row;
}

/* Something that is no cell stands in a line of its own. */
static void apart(struct excel *x)
{
	wide_unit(&x->out, '\n');
	x->row = UINT32_MAX;
}

static void put_number(struct excel *x, double number)
{
	char text[64];
	int len;

	/* A number of a card or of a telephone is one without a point and without an exponent. */
	if (number > -1e17 && number < 1e17 && (double)(int64_t)number == number)
		len = snprintf(text, sizeof text, "%.0f", number);
	else
		len = snprintf(text, sizeof text, "%.15g", number);
	if (len > 0)
		wide_text(&x->out, text, (size_t)len);
}

static double of_bits(uint64_t bits)
{
	double number;

	memcpy(&number, &bits, sizeof number);
	return number;
}

/* A number in 30 bits (MS-XLS 2.5.217). */
static double of_rk(uint64_t rk)
{
	double number;

	if ((rk & 2) != 0)
		number = (double)((int32_t)(uint32_t)rk >> 2);
	else
		number = of_bits((rk & 0xfffffffc) << 32);
	return (rk & 1) != 0 ? number / 100 : number;
}

/* Row, column and format of a cell. */
static bool read_place(struct excel *x, uint64_t *row)
{
	uint64_t rest;

	return excel_number(x, 2, row) && excel_number(x, 4, &rest);
}

static bool read_many(struct excel *x)
{
	uint64_t row, rest, rk;

	if (!excel_number(x, 2, &row) || !excel_number(x, 2, &rest))
		return false;
	/* A format and a number each, then the last column. */
	while (x->end - x->at >= 8) {
		if (!excel_number(x, 2, &rest) || !excel_number(x, 4, &rk))
			return false;
		begin_cell(x, row);
		put_number(x, of_rk(rk));
	}
	return true;
}

/* The result that was computed last; a text follows in a record of its own. */
static bool read_formula(struct excel *x)
{
	uint64_t row, bits;

	if (!read_place(x, &row) || !excel_number(x, 8, &bits))
		return false;
	begin_cell(x, row);
	if (bits >> 48 != 0xffff)
		put_number(x, of_bits(bits));
	return true;
}

static bool read_cell(struct excel *x, uint64_t type)
{
	uint64_t row, number;

	if (type == MUL_RK)
		return read_many(x);
	if (type == FORMULA)
		return read_formula(x);
	if (!read_place(x, &row))
		return false;
	begin_cell(x, row);
	switch (type) {
	case LABEL_SST:
		return excel_number(x, 4, &number) && excel_put_string(x, number);
	case NUMBER:
		if (!excel_number(x, 8, &number))
			return false;
		put_number(x, of_bits(number));
		return true;
	case RK:
		if (!excel_number(x, 4, &number))
			return false;
		put_number(x, of_rk(number));
		return true;
	default:
		return excel_string(x, 2, &x->out);
	}
}

/* ---- what is no cell ---- */

/* Its text stands in a record that continues it; how long it is, in this one. */
static bool read_text_object(struct excel *x)
{
	uint64_t n;

	if (x->old || !excel_skip(x, 10) || !excel_number(x, 2, &n) || n == 0)
		return true;
	x->at = x->end;
	apart(x);
	return excel_letters(x, n, false, &x->out);
}

static bool read_note(struct excel *x)
{
	if (!x->old || !excel_skip(x, 4)) /* later ones are text objects */
		return true;
	apart(x);
	return excel_string(x, 2, &x->out);
}

static bool read_sheet_name(struct excel *x)
{
	apart(x);
	return excel_skip(x, 6) && excel_string(x, 1, &x->out);
}

static bool into_buf(void *context, const char *bytes, size_t len)
{
	struct buf *out = context;

	buf_add(out, bytes, len);
	return buf_ok(out);
}

/* Codes of the layout stand in the text: "&L&\"Arial\"&12...". */
static bool read_margin(struct excel *x)
{
	struct wide wide;
	struct buf text;
	bool fine;

	if (x->at == x->end)
		return true;
	apart(x);
	buf_init(&text, MARGIN_MOST);
	wide_begin(&wide, (struct sink){into_buf, &text});
	fine = excel_string(x, x->old ? 1 : 2, &wide) && wide_flush(&wide) && buf_ok(&text);
	if (text.len > 0)
		wide_text(&x->out, text.bytes, margin_plain(text.bytes, text.len));
	buf_free(&text);
	return fine;
}

static bool read_code_page(struct excel *x)
{
	uint64_t page;

	if (!excel_number(x, 2, &page))
		return false;
	if (x->old)
		(void)snprintf(x->label, sizeof x->label, "cp%u", (unsigned)page);
	return true;
}

static bool read_beginning(struct excel *x)
{
	uint64_t version;

	if (!excel_number(x, 2, &version))
		return false;
	x->old = version < BIFF_8;
	x->row = UINT32_MAX;
	return true;
}

/* ---- records ---- */

/* False: the record is not what it should be. */
static bool read_record(struct excel *x, uint64_t type)
{
	switch (type) {
	case BOF:
		return read_beginning(x);
	case CODE_PAGE:
		return read_code_page(x);
	case BOUND_SHEET:
		return read_sheet_name(x);
	case STRINGS:
		x->stopped = !excel_read_strings(x);
		return true;
	case LABEL_SST:
	case LABEL:
	case RICH_STRING:
	case NUMBER:
	case RK:
	case MUL_RK:
	case FORMULA:
		return read_cell(x, type);
	case STRING:
		return excel_string(x, 2, &x->out);
	case NOTE:
		return read_note(x);
	case TEXT_OBJECT:
		return read_text_object(x);
	case HEADER:
	case FOOTER:
		return read_margin(x);
	default:
		return true;
	}
}

/* The head of the record at `at`. False: there is none, or it is longer than the stream. */
static bool next_record(struct excel *x, uint64_t at, uint64_t *type, uint64_t *len)
{
	unsigned char head[4];

	if (x->stream.size < at || x->stream.size - at < sizeof head)
		return false;
	/* Records stand close together: the window has them mostly. */
	x->at = at;
	x->end = at + sizeof head;
	for (size_t i = 0; i < sizeof head; i++) {
		int c = excel_byte(x);

		if (c < 0)
			return false;
		head[i] = (unsigned char)c;
	}
	*type = le(head, 2);
	*len = le(head + 2, 2);
	return true;
}

/* Whether what follows the first records is encrypted (2.4.117). */
static bool is_encrypted(struct excel *x)
{
	uint64_t at = 0, type, len;

	while (next_record(x, at, &type, &len) && type != END) {
		if (type == FILE_PASS)
			return true;
		at += 4 + len;
	}
	return false;
}

static void read_records(struct excel *x)
{
	uint64_t at = 0, type, len;
	bool told = false;

	while (!x->stopped && !x->out.refused && next_record(x, at, &type, &len)) {
		/* Streams are filled up with zeroes. */
		if (type == 0 && len == 0)
			break;
		at += 4 + len;
		x->end = at;
		if ((at > x->stream.size || !read_record(x, type)) && !told) {
			inside_fault(x->in, EXTRACT_DAMAGED);
			told = true;
		}
	}
}

static void read_stream(struct inside *in, struct ole *ole, uint32_t storage, uint32_t stream)
{
	struct excel *x = calloc(1, sizeof *x);

	if (x == NULL) {
		inside_fault(in, EXTRACT_MEMORY);
		return;
	}
	x->in = in;
	x->row = UINT32_MAX;
	if (ole_open_told(in, ole, stream, &x->stream)) {
		if (is_encrypted(x)) {
			ole_is_encrypted(in, storage);
		} else if (in->deep) {
			wide_begin(&x->out, inside_sink(in));
			read_records(x);
			(void)!wide_flush(&x->out);
		}
		excel_strings_end(x);
		ole_stream_close(&x->stream);
	}
	free(x);
}

void read_excel(struct inside *in, struct ole *ole, uint32_t storage)
{
	read_stream(in, ole, storage, ole_find(ole, storage, "Workbook"));
}

void read_old_excel(struct inside *in, struct ole *ole, uint32_t storage)
{
	read_stream(in, ole, storage, ole_find(ole, storage, "Book"));
}
