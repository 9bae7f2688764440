//! Which table an object belongs to, by its key alone.
//!
//! Owns: the rules of names and folders. Pure: no store, no file.

use percent_encoding::percent_decode_str;

/// The schema of files that lie directly in a root.
pub(crate) const ROOT_SCHEMA: &str = "public";

/// How Hive writes a partition without a value.
const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The kinds of files, in the order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Format {
    Parquet,
    Arrow,
    Avro,
    Json,
    Csv,
    /// Parquet files that a log names.
    Delta,
}

/// What is known of a format without a file.
pub(crate) struct Known {
    pub(crate) format: Format,
    name: &'static str,
    /// What holds the rows, with its article.
    pub(crate) what: &'static str,
    /// The words of STORED AS.
    words: &'static [&'static str],
    /// Of the names of its files, in lower case.
    endings: &'static [&'static str],
    /// Why a file cannot be compressed as a whole.
    packed: Option<&'static str>,
}

const fn known(
    format: Format,
    name: &'static str,
    what: &'static str,
    words: &'static [&'static str],
    endings: &'static [&'static str],
) -> Known {
    Known { format, name, what, words, endings, packed: None }
}

/// All formats, a line for each.
pub(crate) static FORMATS: [Known; 6] = [
    Known {
        packed: Some("an Arrow file is compressed inside, not as a whole"),
        ..known(Format::Arrow, "arrow", "an Arrow file", &["ARROW"], &["arrow", "arrows", "feather", "ipc"])
    },
    Known {
        packed: Some("an Avro file is compressed inside, not as a whole"),
        ..known(Format::Avro, "avro", "an Avro file", &["AVRO"], &["avro"])
    },
    known(Format::Csv, "csv", "a CSV file", &["CSV"], &["csv", "tsv", "txt"]),
    known(Format::Delta, "delta", "a Delta table", &["DELTA"], &[]),
    known(Format::Json, "ndjson", "a JSON file", &["NDJSON", "JSON"], &["ndjson", "jsonl", "json"]),
    Known {
        packed: Some("a Parquet file is compressed inside, not as a whole"),
        ..known(Format::Parquet, "parquet", "a Parquet file", &["PARQUET"], &["parquet"])
    },
];

impl Format {
    pub(crate) fn known(self) -> &'static Known {
        let [first, ..] = &FORMATS;
        // Every format is in the list, as a test holds.
        FORMATS.iter().find(|known| known.format == self).unwrap_or(first)
    }

    pub(crate) fn name(self) -> &'static str {
        self.known().name
    }

    /// By a word of STORED AS; or the words that there are.
    pub(crate) fn stored_as(word: &str) -> Result<Self, String> {
        let found = FORMATS.iter().find(|known| known.words.iter().any(|known| known.eq_ignore_ascii_case(word)));
        let words = || FORMATS.iter().filter_map(|known| known.words.first().copied()).collect::<Vec<_>>().join(", ");
        found.map(|known| known.format).ok_or_else(words)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
    Bzip2,
    Xz,
}

impl Compression {
    /// By the ending of a file's name, in lower case.
    fn of(ending: &str) -> Self {
        match ending {
            "gz" => Self::Gzip,
            "zst" => Self::Zstd,
            "bz2" => Self::Bzip2,
            "xz" => Self::Xz,
            _ => Self::None,
        }
    }
}

/// What a file's name says of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileName<'a> {
    pub(crate) stem: &'a str,
    /// `None` if the ending is not one of a format.
    pub(crate) format: Option<Format>,
    pub(crate) compression: Compression,
}

/// A partition folder; `None` is NULL.
pub(crate) type Partition = (String, Option<String>);

/// Where an object belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Table(Placed),
    /// A hidden file: `_SUCCESS`, `.part`, `_delta_log/...`.
    Hidden,
    /// No table can be made of it.
    Unknown {
        reason: &'static str,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) schema: String,
    pub(crate) table: String,
    pub(crate) format: Format,
    pub(crate) compression: Compression,
    pub(crate) partitions: Vec<Partition>,
    /// Whether the table is a folder of files, or this file alone.
    pub(crate) in_folder: bool,
}

/// Places an object by its key.
pub(crate) fn place(key: &str) -> Place {
    let segments: Vec<&str> = key.split('/').collect();
    if segments.iter().any(|segment| is_hidden(segment)) {
        return Place::Hidden;
    }
    let Some((name, folders)) = segments.split_last() else { return Place::Hidden };
    let name = file_name(name);
    let Some(format) = name.format else {
        return Place::Unknown { reason: "the name does not end in a known format" };
    };
    if let Some(reason) = format.known().packed.filter(|_| name.compression != Compression::None) {
        return Place::Unknown { reason };
    }
    let (schema, table, inner) = match folders {
        [] => (ROOT_SCHEMA, None, folders),
        // A folder of partitions in the root is a table, not a schema.
        [table, first, ..] if partition(first).is_some() => {
            (ROOT_SCHEMA, Some(*table), folders.get(1..).unwrap_or(&[]))
        }
        [schema] => (*schema, None, [].as_slice()),
        [schema, table, inner @ ..] => (*schema, Some(*table), inner),
    };
    if name.stem.is_empty() && table.is_none() {
        return Place::Unknown { reason: "the file has no name before its ending" };
    }
    Place::Table(Placed {
        schema: schema.to_owned(),
        table: table.unwrap_or(name.stem).to_owned(),
        format,
        compression: name.compression,
        partitions: partitions(inner),
        in_folder: table.is_some(),
    })
}

/// The partitions of the folders between a table and a file.
pub(crate) fn partitions(folders: &[&str]) -> Vec<Partition> {
    folders.iter().filter_map(|folder| partition(folder)).collect()
}

/// Hidden as in Spark: `_x` and `.x`, but not the partition `_x=1`.
pub(crate) fn is_hidden(segment: &str) -> bool {
    segment.starts_with('.') || (segment.starts_with('_') && partition(segment).is_none())
}

fn partition(folder: &str) -> Option<Partition> {
    let (name, value) = folder.split_once('=')?;
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let value = (value != HIVE_NULL).then(|| decode(value));
    (!name.is_empty()).then(|| (decode(name), value))
}

/// Takes the endings off a file's name.
pub(crate) fn file_name(name: &str) -> FileName<'_> {
    let (stem, end) = ending(name);
    let compression = Compression::of(end);
    let rest = if compression == Compression::None { name } else { stem };
    let (stem, end) = ending(rest);
    let format = FORMATS.iter().find(|known| known.endings.contains(&end)).map(|known| known.format);
    match format.filter(|_| end != "txt" || !is_prose(stem)) {
        Some(format) => FileName { stem, format: Some(format), compression },
        None => FileName { stem: rest, format: None, compression },
    }
}

/// Whether a text of this name is to be read by people.
fn is_prose(stem: &str) -> bool {
    let names = ["readme", "license", "licence", "notice", "changelog", "copyright", "terms"];
    names.iter().any(|name| stem.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)))
}

/// The part before the last dot, and the part behind it if it is a known ending in any case.
fn ending(name: &str) -> (&str, &'static str) {
    let known =
        || ["gz", "zst", "bz2", "xz"].into_iter().chain(FORMATS.iter().flat_map(|known| known.endings).copied());
    name.rsplit_once('.')
        .and_then(|(stem, end)| known().find(|known| end.eq_ignore_ascii_case(known)).map(|known| (stem, known)))
        .unwrap_or((name, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `schema.table format[+compression] [folder] [k=v ...]`, or why not.
    fn shown(key: &str) -> String {
        match place(key) {
            Place::Hidden => "hidden".into(),
            Place::Unknown { reason } => reason.into(),
            Place::Table(placed) => {
                let mut text = format!("{}.{} {}", placed.schema, placed.table, placed.format.name());
                match placed.compression {
                    Compression::None => {}
                    Compression::Gzip => text += "+gz",
                    Compression::Zstd => text += "+zst",
                    Compression::Bzip2 => text += "+bz2",
                    Compression::Xz => text += "+xz",
                }
                if placed.in_folder {
                    text += " folder";
                }
                for (name, value) in placed.partitions {
                    text += &format!(" {name}={}", value.unwrap_or("NULL".into()));
                }
                text
            }
        }
    }

    #[test]
    fn every_format_is_in_the_list_once() {
        use Format::*;
        for format in [Parquet, Arrow, Avro, Json, Csv, Delta] {
            assert_eq!(FORMATS.iter().filter(|known| known.format == format).count(), 1, "{format:?}");
        }
        assert_eq!(Format::stored_as("json"), Ok(Json));
        assert_eq!(Format::stored_as("xml"), Err("ARROW, AVRO, CSV, DELTA, NDJSON, PARQUET".to_owned()));
    }

    #[test]
    fn keys_find_their_tables() {
        let cases = [
            ("stations.csv", "public.stations csv"),
            ("weather/stations.csv", "weather.stations csv"),
            ("weather/Stations.CSV.GZ", "weather.Stations csv+gz"),
            ("weather/st.2024.tsv.zst", "weather.st.2024 csv+zst"),
            ("weather/a.csv.bz2", "weather.a csv+bz2"),
            ("weather/a.ndjson.XZ", "weather.a ndjson+xz"),
            ("weather/a.parquet.xz", "a Parquet file is compressed inside, not as a whole"),
            ("shop/orders.jsonl", "shop.orders ndjson"),
            ("shop/orders/a.json", "shop.orders ndjson folder"),
            ("weather/obs/2024/01/a.parquet", "weather.obs parquet folder"),
            ("weather/obs/year=2024/month=01/a.parquet", "weather.obs parquet folder year=2024 month=01"),
            ("weather/obs/city=S%C3%A3o%20Paulo/a.parquet", "weather.obs parquet folder city=São Paulo"),
            ("weather/obs/day=__HIVE_DEFAULT_PARTITION__/a.csv", "weather.obs csv folder day=NULL"),
            ("trips/year=2024/a.parquet", "public.trips parquet folder year=2024"),
            ("weather/obs/_SUCCESS", "hidden"),
            ("weather/obs/_delta_log/0.json", "hidden"),
            ("weather/.obs.csv", "hidden"),
            (".tmp123", "hidden"),
            ("weather/obs/_year=1/a.csv", "weather.obs csv folder _year=1"),
            ("weather/readme.md", "the name does not end in a known format"),
            ("weather/a.gz", "the name does not end in a known format"),
            ("weather/a.txt.gz", "weather.a csv+gz"),
            ("weather/ReadMe first.txt", "the name does not end in a known format"),
            ("weather/a.parquet.gz", "a Parquet file is compressed inside, not as a whole"),
        ];
        for (key, expected) in cases {
            assert_eq!(shown(key), expected, "{key}");
        }
    }
}
