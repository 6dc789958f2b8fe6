//! Whole files: their types as dbt infers them, their problems, and what is handed to COPY.

use std::io::Write;

use super::*;
use indexmap::IndexMap;
use proptest::prelude::*;

fn file(content: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content).unwrap();
    file
}

fn strict() -> SeedOptions {
    SeedOptions {
        strict: true,
        ..SeedOptions::default()
    }
}

fn given(types: &[(&str, &str)]) -> SeedOptions {
    let pair = |(name, kind): &(&str, &str)| ((*name).to_owned(), (*kind).to_owned());
    SeedOptions {
        column_types: types.iter().map(pair).collect::<IndexMap<_, _>>(),
        ..SeedOptions::default()
    }
}

fn types_with(content: &str, options: &SeedOptions) -> String {
    match infer(file(content.as_bytes()).path(), options) {
        Ok(shape) => {
            let columns: Vec<String> = shape.columns.iter().map(ToString::to_string).collect();
            format!("{} x{}", columns.join(", "), shape.rows)
        }
        Err(problems) => panic!("{problems:?}"),
    }
}

fn types(content: &str) -> String {
    types_with(content, &SeedOptions::default())
}

fn problems(content: &[u8], options: &SeedOptions) -> String {
    let problems = infer(file(content).path(), options).unwrap_err();
    let line = |p: &SeedProblem| format!("{p} [{}]", p.hint.as_deref().unwrap_or(""));
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn warnings(content: &str, options: &SeedOptions) -> String {
    let shape = infer(file(content.as_bytes()).path(), options).unwrap();
    let lines: Vec<String> = shape.warnings.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The rows as COPY text, whatever the columns.
fn copied(content: &str, options: &SeedOptions) -> String {
    let file = file(content.as_bytes());
    let mut shape = infer(file.path(), options).unwrap();
    shape.format = CopyFormat::Text;
    let chunks = shape.chunks(file.path()).unwrap();
    let bytes: Vec<u8> = chunks.flat_map(|chunk| chunk.unwrap().to_vec()).collect();
    String::from_utf8(bytes).unwrap()
}

/// Each pair was tried with dbt-core's own reader of seeds.
#[test]
fn types_are_those_that_dbt_infers() {
    for (content, expected) in [
        ("a,b\n007,0.50\n1,1\n", "a integer, b float8 x2"),
        ("a\n\"1,000\"\n2\n", "a integer x2"),
        (
            "a,b,c,d\n$5,5%,-$5,(5)\n",
            "a integer, b integer, c integer, d text x1",
        ),
        (
            "a,b,c\n1e5,1E-5,1_000\n",
            "a integer, b float8, c integer x1",
        ),
        ("a\nNaN\n1.5\n", "a float8 x2"),
        ("a\n1.0\n2.00\n", "a integer x2"),
        ("a\n1e30\n", "a float8 x1"),
        ("a,b\n", "a integer, b integer x0"),
        ("a,b", "a integer, b integer x0"),
        (
            "a,b,c\n,null, NULL \n,, \n",
            "a integer, b integer, c integer x2",
        ),
        ("a,b\n1,2\n\n3,4\n", "a integer, b integer x3"),
        ("a\n1\n\n", "a integer x2"),
        ("a,b,c\n1,2\n1\n", "a integer, b integer, c integer x2"),
        (
            "a,a,,b,\n1,2,3,4,5\n",
            "a integer, a_2 integer, c integer, b integer, e integer x1",
        ),
        ("\u{feff}a,b\n1,2\n", "a integer, b integer x1"),
        (
            "a,b\n2024-1-5,2024-01-05 3:4:5\n",
            "a date, b timestamp without time zone x1",
        ),
        (
            "a\n2024-01-05T10:00:00+02:00\n",
            "a timestamp without time zone x1",
        ),
        (
            "a,b\n2024-01-05 03:04:05.5,2024-01-05 03:04\n",
            "a text, b text x1",
        ),
        ("a\n2024-01-05\n2024-01-05 00:00:00\n", "a text x2"),
        ("a\n2024-01-05T01:02:03\n2024-01-05 00:00:00\n", "a text x2"),
        (
            "a,b\n2024-00-05T10:30.5,2024-01-05T24:00:00\n",
            "a timestamp without time zone, b text x1",
        ),
        (
            "a,b,c\ntrue,yes,1\nFalse,no,0\n",
            "a boolean, b text, c integer x2",
        ),
        ("a\ntrue\n\nnull\n", "a boolean x3"),
        ("a,b\n x ,  \nNull,'q'\n", "a text, b text x2"),
        ("a,b\n\"x\"y,x\"y\"z\n\"l1\r\nl2\",z\n", "a text, b text x2"),
        ("a,b\r1,2\r3,4\r", "a integer, b integer x2"),
        (" a , b\n1,2\n", " a  integer,  b integer x1"),
        ("a,b\n 5 , 2024-01-05 \n", "a integer, b date x1"),
        ("a,b,c\n--5,-,%\n", "a integer, b text, c text x1"),
        ("a,b\n\"\",\"x\"\n", "a integer, b text x1"),
        ("a,b\n0001-01-01,24-01-05\n", "a date, b text x1"),
    ] {
        assert_eq!(types(content), expected, "{content:?}");
    }
}

#[test]
fn whole_numbers_get_the_room_that_they_need() {
    let expected = "a bigint, b numeric, c integer x1";
    assert_eq!(
        types("a,b,c\n2147483648,9223372036854775808,-2147483648\n"),
        expected
    );
    assert_eq!(types("a\n1\n99999999999\n1.5\n"), "a float8 x3");
}

#[test]
fn strict_reading_keeps_leading_zeros_as_text() {
    assert_eq!(
        types_with("zip,n\n01234,0\n9,0.5\n", &strict()),
        "zip text, n float8 x2"
    );
    assert_eq!(types_with("a\n1\n\n2\n\n", &strict()), "a integer x2");
}

#[test]
fn given_types_win_and_are_copied_as_they_are_written() {
    let options = given(&[("zip", "varchar(5)"), ("at", "timestamptz")]);
    let content = "zip,at,n\n007 ,2024-01-05 10:00+02,\"1,000\"\nnull,,2\n";
    assert_eq!(
        types_with(content, &options),
        "zip varchar(5), at timestamptz, n integer x2"
    );
    assert_eq!(
        copied(content, &options),
        "007 \t2024-01-05 10:00+02\t1000\n\\N\t\\N\t2\n"
    );
}

#[test]
fn rows_are_binary_unless_a_type_is_postgres_alone_to_read() {
    let format = |content: &str, options: &SeedOptions| {
        infer(file(content.as_bytes()).path(), options)
            .unwrap()
            .format
    };
    let content = "a,b\n1,x\n";
    assert_eq!(format(content, &SeedOptions::default()), CopyFormat::Binary);
    assert_eq!(
        format(content, &given(&[("a", "numeric(5,2)")])),
        CopyFormat::Binary
    );
    assert_eq!(format(content, &given(&[("a", "money")])), CopyFormat::Text);
    assert_eq!(
        format(content, &given(&[("b", "integer")])),
        CopyFormat::Text
    );
}

#[test]
fn values_are_normalised_as_dbt_casts_them() {
    let content =
        "n,f,d,t,i,b,s\n $1 ,5.50%,2024-1-5,2024-1-5 3:4:5,2024-01-05T10:00+02,TRUE, x \n,,,,,,\n";
    assert_eq!(
        copied(content, &SeedOptions::default()),
        "1\t5.5e0\t2024-01-05\t2024-01-05 03:04:05.000000\t2024-01-05 08:00:00.000000\tt\t x \n\
         \\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\n"
    );
}

#[test]
fn short_rows_are_filled_with_null_and_told() {
    let content = "a,b\n1,2\n1\n\n";
    assert_eq!(
        copied(content, &SeedOptions::default()),
        "1\t2\n1\t\\N\n\\N\t\\N\n"
    );
    insta::assert_snapshot!(warnings(content, &SeedOptions::default()), @"line 3: 2 rows have fewer values than the header, the first one here; the missing ones are NULL");
    insta::assert_snapshot!(problems(content.as_bytes(), &strict()), @"line 3, column b: 1 value for 2 columns [write every delimiter, also those of empty values]");
}

#[test]
fn long_rows_open_quotes_and_broken_bytes_are_named_with_their_place() {
    let lax = SeedOptions::default();
    insta::assert_snapshot!(problems(b"a,b\n1,2\n1,2,3\n\"x\n\",2,3,4\n", &lax), @r#"
    line 3: 3 values for 2 columns; "3" is the first without a column [put a value that holds the delimiter into double quotes]
    line 4: 4 values for 2 columns; "3" is the first without a column [put a value that holds the delimiter into double quotes]
    "#);
    insta::assert_snapshot!(problems(b"a,b\n1,\"x\ny\n1,2\n", &lax), @"line 2, column b: a quote that is opened here is never closed [close it, or double it if it belongs to the value]");
    insta::assert_snapshot!(problems(b"a,name\n1,x\n2,Caf\xe9\n", &lax), @"line 3, column name: byte 0xE9 is not valid UTF-8 [save the file as UTF-8 (if it is Latin-1: iconv -f latin1 -t utf-8)]");
    insta::assert_snapshot!(problems(b"a,name\n1,x\n2\x00,y\n", &lax), @"line 3, column a: a NUL character, which Postgres cannot store [remove it from the file]");
}

#[test]
fn a_header_that_names_nothing_is_refused() {
    let lax = SeedOptions::default();
    insta::assert_snapshot!(problems(b"", &lax), @"the file is empty [write a header line with the names of its columns]");
    insta::assert_snapshot!(problems(b"\n1,2\n", &lax), @"line 1: the first line names no columns [write a header line with the names of the columns]");
    insta::assert_snapshot!(problems(b"\xff\xfea\0,\0", &lax), @"the file is UTF-16, not UTF-8 [save it as UTF-8]");
    insta::assert_snapshot!(problems(b"a\xe9,b\n", &lax), @"line 1: the header is not valid UTF-8 [save the file as UTF-8 (if it is Latin-1: iconv -f latin1 -t utf-8)]");
    insta::assert_snapshot!(problems(b"\"a,b\n1,2\n", &lax), @"line 1: a quote in the header is never closed [close the quote]");
    insta::assert_snapshot!(problems(b"a,a,\n1,2,3\n", &strict()), @r#"
    line 1: column a is there twice [give each column a name of its own]
    line 1: column 3 has no name [give each column a name of its own]
    "#);
}

#[test]
fn what_is_odd_about_a_header_is_told() {
    insta::assert_snapshot!(warnings("a,a,\n", &SeedOptions::default()), @r#"
    line 1: column a is there twice; this one is called a_2
    line 1: column 3 has no name; this one is called c
    "#);
    insta::assert_snapshot!(warnings("amount, b\n", &given(&[("amuont", "text")])), @r#"
    line 1: the name of column " b" begins or ends with a blank
    line 1: column_types names amuont, which the header does not
    "#);
}

#[test]
fn a_delimiter_is_one_character() {
    let with = |delimiter: &str| SeedOptions {
        delimiter: delimiter.to_owned(),
        ..SeedOptions::default()
    };
    assert_eq!(
        types_with("a;b\n1;\"2,5\"\n", &with(";")),
        "a integer, b integer x1"
    );
    assert_eq!(
        types_with("a\tb\n1\t2\n", &with("\t")),
        "a integer, b integer x1"
    );
    insta::assert_snapshot!(problems(b"a\n", &with("||")), @r#"delimiter "||" is not one ASCII character [set `delimiter` to a single character such as ",", ";", "|" or "\t"]"#);
    insta::assert_snapshot!(problems(b"a\n", &with("§")), @r#"delimiter "§" is not one ASCII character [set `delimiter` to a single character such as ",", ";", "|" or "\t"]"#);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let problems = infer(Path::new("seeds/none.csv"), &SeedOptions::default()).unwrap_err();
    assert!(
        problems[0]
            .to_string()
            .starts_with("cannot read seeds/none.csv: ")
    );
}

#[test]
fn a_file_of_many_blocks_is_read_whole() {
    let mut content = String::from("id,amount,note\n");
    for id in 0..60_000 {
        content.push_str(&format!("{id},{}.25,\"note\n{id}\"\n", id % 100));
    }
    content.push_str("3000000000,1,last\n");
    let file = file(content.as_bytes());
    let shape = infer(file.path(), &SeedOptions::default()).unwrap();
    assert_eq!(shape.rows, 60_001);
    assert_eq!(shape.columns[0].data_type, "bigint");
    assert_eq!(shape.line_of_row(file.path(), 1), Some(2));
    assert_eq!(shape.line_of_row(file.path(), 50_001), Some(100_002));
    assert_eq!(shape.line_of_row(file.path(), 60_002), None);
    let bytes: usize = shape
        .chunks(file.path())
        .unwrap()
        .map(|c| c.unwrap().len())
        .sum();
    assert!(bytes > 60_000 * 30, "{bytes}");
}

#[test]
fn a_problem_far_into_the_file_has_its_line() {
    let mut content = "a,b\n".to_owned() + &"1,2\n".repeat(300_000);
    content.push_str("1,2,3\n");
    content.push_str(&"1,2\n".repeat(300_000));
    let told = problems(content.as_bytes(), &SeedOptions::default());
    assert!(told.starts_with("line 300002: 3 values"), "{told}");
}

#[test]
fn a_file_that_changes_under_the_load_is_noticed() {
    let file = file(b"a\n1\n2\n");
    let shape = infer(file.path(), &SeedOptions::default()).unwrap();
    for content in ["a\n1\nx\n", "a\n1\n", "a\n1\n2\n3\n", "a\n1\n2,3\n"] {
        std::fs::write(file.path(), content).unwrap();
        let chunks: Result<Vec<_>, _> = shape.chunks(file.path()).unwrap().collect();
        let problem = chunks.unwrap_err();
        assert!(
            problem.message.ends_with("changed while it was loaded"),
            "{content:?}"
        );
    }
}

fn unescape(field: &str) -> Option<String> {
    if field == "\\N" {
        return None;
    }
    let plain = field
        .replace("\\t", "\t")
        .replace("\\n", "\n")
        .replace("\\r", "\r");
    Some(plain.replace("\\\\", "\\"))
}

proptest! {
    #[test]
    fn text_survives_whatever_it_holds(
        rows in proptest::collection::vec(("[a-z,\" é\n\t;]{0,8}", "[a-z]{1,3}"), 1..20),
    ) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["a", "b"]).unwrap();
        for (a, b) in &rows {
            writer.write_record([a, b]).unwrap();
        }
        let content = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let options = given(&[("a", "text"), ("b", "text")]);
        let lines = copied(&content, &options);
        let read: Vec<Vec<Option<String>>> = lines.lines().map(|l| l.split('\t').map(unescape).collect()).collect();
        let value = |text: &String| (!is_null(text)).then(|| text.clone());
        let expected: Vec<Vec<Option<String>>> = rows.iter().map(|(a, b)| vec![value(a), value(b)]).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn whatever_is_inferred_can_be_loaded(
        rows in proptest::collection::vec("[0-9a-zN$%.,:TZe\"+ \r\n-]{0,10}", 0..20),
    ) {
        let content = "a\n".to_owned() + &rows.join("\n");
        let file = file(content.as_bytes());
        for options in [SeedOptions::default(), strict()] {
            if let Ok(shape) = infer(file.path(), &options) {
                let chunks: Result<Vec<_>, _> = shape.chunks(file.path()).unwrap().collect();
                prop_assert!(chunks.is_ok(), "{:?} {}", shape, content);
            }
        }
    }
}
