//! Parquet written by hand: footers and pages whose claims are not true, which no writer makes.
//!
//! <https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift>

/// Physical types, encodings, codecs and kinds of pages by their numbers.
pub(crate) const INT64: i64 = 2;
pub(crate) const BYTE_ARRAY: i64 = 6;
pub(crate) const PLAIN: i64 = 0;
pub(crate) const DELTA_LENGTH: i64 = 6;
pub(crate) const DELTA_BYTES: i64 = 7;
pub(crate) const DICTIONARY: i64 = 8;
pub(crate) const SNAPPY: i64 = 1;
pub(crate) const GZIP: i64 = 2;
pub(crate) const BROTLI: i64 = 4;
pub(crate) const ZSTD: i64 = 6;
pub(crate) const LZ4_RAW: i64 = 7;
const RLE: i64 = 3;
const UTF8: i64 = 0;

/// A structure of Thrift's compact protocol.
#[derive(Default, Clone)]
pub(crate) struct Thrift {
    bytes: Vec<u8>,
    last: i64,
}

impl Thrift {
    fn begin(&mut self, number: i64, kind: u8) {
        let step = u8::try_from(number - self.last).unwrap();
        assert!((1..16).contains(&step));
        self.bytes.push(step << 4 | kind);
        self.last = number;
    }

    pub(crate) fn i32(mut self, number: i64, value: i64) -> Self {
        self.begin(number, 5);
        self.bytes.extend(zigzag(value));
        self
    }

    pub(crate) fn i64(mut self, number: i64, value: i64) -> Self {
        self.begin(number, 6);
        self.bytes.extend(zigzag(value));
        self
    }

    pub(crate) fn text(mut self, number: i64, text: &str) -> Self {
        self.begin(number, 8);
        self.bytes.extend(varint(text.len()));
        self.bytes.extend(text.as_bytes());
        self
    }

    pub(crate) fn structure(mut self, number: i64, value: Self) -> Self {
        self.begin(number, 12);
        self.bytes.extend(value.end());
        self
    }

    pub(crate) fn structures(mut self, number: i64, values: impl IntoIterator<Item = Self>) -> Self {
        let values: Vec<Vec<u8>> = values.into_iter().map(Self::end).collect();
        self.list(number, 12, values.len());
        self.bytes.extend(values.concat());
        self
    }

    fn i32s(mut self, number: i64, values: &[i64]) -> Self {
        self.list(number, 5, values.len());
        self.bytes.extend(values.iter().flat_map(|value| zigzag(*value)));
        self
    }

    fn texts(mut self, number: i64, texts: &[&str]) -> Self {
        self.list(number, 8, texts.len());
        for text in texts {
            self.bytes.extend(varint(text.len()));
            self.bytes.extend(text.as_bytes());
        }
        self
    }

    /// The head of a list, whose elements are given by [`Self::raw`] or not at all.
    pub(crate) fn list(&mut self, number: i64, kind: u8, size: usize) {
        self.begin(number, 9);
        if size < 15 {
            self.bytes.push(u8::try_from(size).unwrap() << 4 | kind);
        } else {
            self.bytes.push(0xf0 | kind);
            self.bytes.extend(varint(size));
        }
    }

    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend(bytes);
        self
    }

    pub(crate) fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

pub(crate) fn varint(value: usize) -> Vec<u8> {
    let (mut value, mut bytes) = (value, Vec::new());
    while value > 0x7f {
        bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap());
    bytes
}

fn zigzag(value: i64) -> Vec<u8> {
    varint(usize::try_from((value << 1) ^ (value >> 63)).unwrap())
}

/// A page: its header without its sizes, its bytes in the file, and how many it claims to become.
#[derive(Clone)]
pub(crate) struct Page {
    kind: i64,
    values: i64,
    encoding: i64,
    packed: Vec<u8>,
    claimed: i64,
    /// Of levels, in a page of the second kind.
    levels_bytes: i64,
    /// Added to its header.
    header: fn(Thrift) -> Thrift,
}

impl Page {
    pub(crate) fn data(values: i64, encoding: i64, bytes: &[u8]) -> Self {
        let claimed = i64::try_from(bytes.len()).unwrap();
        Self { kind: 0, values, encoding, packed: bytes.to_vec(), claimed, levels_bytes: 0, header: |thrift| thrift }
    }

    /// A page of the second kind, with runs of definition levels before its values.
    pub(crate) fn second(values: i64, encoding: i64, runs: &[u8], bytes: &[u8]) -> Self {
        let levels_bytes = i64::try_from(runs.len()).unwrap();
        Self { kind: 3, levels_bytes, ..Self::data(values, encoding, &[runs, bytes].concat()) }
    }

    pub(crate) fn dictionary(values: i64, bytes: &[u8]) -> Self {
        Self { kind: 2, ..Self::data(values, PLAIN, bytes) }
    }

    /// The bytes are packed, and are this many without.
    pub(crate) fn claiming(self, bytes: i64) -> Self {
        Self { claimed: bytes, ..self }
    }

    /// Adds fields to the part of its header that is of its kind.
    pub(crate) fn with_header(self, header: fn(Thrift) -> Thrift) -> Self {
        Self { header, ..self }
    }

    fn bytes(&self) -> Vec<u8> {
        let own = Thrift::default().i32(1, self.values).i32(2, self.encoding);
        let header = Thrift::default()
            .i32(1, self.kind)
            .i32(2, self.claimed)
            .i32(3, i64::try_from(self.packed.len()).unwrap())
            .i32(4, i64::from(i32::from_ne_bytes(crc32fast::hash(&self.packed).to_ne_bytes())));
        let header = match self.kind {
            0 => header.structure(5, (self.header)(own.i32(3, RLE).i32(4, RLE))),
            3 => {
                let own = Thrift::default().i32(1, self.values).i32(2, 0).i32(3, self.values).i32(4, self.encoding);
                header.structure(8, (self.header)(own.i32(5, self.levels_bytes).i32(6, 0)))
            }
            _ => header.structure(7, own),
        };
        [header.end(), self.packed.clone()].concat()
    }
}

/// A column of a file with one row group.
#[derive(Clone)]
pub(crate) struct Column {
    name: &'static str,
    /// The structure that it is in, which can be NULL.
    parent: Option<&'static str>,
    physical: i64,
    /// Required, optional or repeated.
    repetition: i64,
    codec: i64,
    pages: Vec<Page>,
    /// Bytes before its pages.
    before: &'static [u8],
    /// What is added to its description in the footer, to that of its place, and to its element of the schema.
    metadata: fn(Thrift) -> Thrift,
    place: fn(Thrift) -> Thrift,
    schema: fn(Thrift) -> Thrift,
}

impl Column {
    pub(crate) fn new(name: &'static str, physical: i64, pages: impl Into<Vec<Page>>) -> Self {
        let as_it_is: fn(Thrift) -> Thrift = |thrift| thrift;
        let pages = pages.into();
        let (metadata, place, schema) = (as_it_is, as_it_is, as_it_is);
        Self { name, parent: None, physical, repetition: 0, codec: 0, pages, before: b"", metadata, place, schema }
    }

    pub(crate) fn optional(self) -> Self {
        Self { repetition: 1, ..self }
    }

    pub(crate) fn repeated(self) -> Self {
        Self { repetition: 2, ..self }
    }

    pub(crate) fn behind(self, before: &'static [u8]) -> Self {
        Self { before, ..self }
    }

    /// Adds fields to its description in the footer.
    pub(crate) fn with_metadata(self, metadata: fn(Thrift) -> Thrift) -> Self {
        Self { metadata, ..self }
    }

    /// Adds fields to the description of its place.
    pub(crate) fn with_place(self, place: fn(Thrift) -> Thrift) -> Self {
        Self { place, ..self }
    }

    /// Adds fields to its element of the schema.
    pub(crate) fn with_schema(self, schema: fn(Thrift) -> Thrift) -> Self {
        Self { schema, ..self }
    }

    pub(crate) fn text(self) -> Self {
        Self { schema: |thrift| thrift.i32(6, UTF8), ..self }
    }

    pub(crate) fn inside(self, parent: &'static str) -> Self {
        Self { parent: Some(parent), ..self }
    }

    pub(crate) fn packed(self, codec: i64) -> Self {
        Self { codec, ..self }
    }

    fn elements(&self) -> Vec<Thrift> {
        let parent = self.parent.map(|name| Thrift::default().i32(3, 1).text(4, name).i32(5, 1));
        let element = Thrift::default().i32(1, self.physical).i32(3, self.repetition).text(4, self.name);
        parent.into_iter().chain([(self.schema)(element)]).collect()
    }

    fn described(&self, start: i64, bytes: i64, rows: i64) -> Thrift {
        let dictionary = self.pages.first().filter(|page| page.kind == 2).map_or(0, |page| page.bytes().len());
        let data = start + i64::try_from(dictionary).unwrap();
        let metadata = Thrift::default()
            .i32(1, self.physical)
            .i32s(2, &[PLAIN, RLE, DICTIONARY])
            .texts(3, &self.parent.into_iter().chain([self.name]).collect::<Vec<_>>())
            .i32(4, self.codec)
            .i64(5, rows)
            .i64(6, bytes)
            .i64(7, bytes)
            .i64(9, data);
        let metadata = if dictionary > 0 { metadata.i64(11, start) } else { metadata };
        (self.place)(Thrift::default().i64(2, start).structure(3, (self.metadata)(metadata)))
    }
}

/// A file of one row group that claims to have so many rows.
pub(crate) fn file(rows: i64, columns: &[Column]) -> Vec<u8> {
    let mut bytes = b"PAR1".to_vec();
    let mut chunks = Vec::new();
    for column in columns {
        let pages: Vec<u8> = column.pages.iter().flat_map(Page::bytes).collect();
        bytes.extend(column.before);
        let start = i64::try_from(bytes.len()).unwrap();
        chunks.push(column.described(start, i64::try_from(pages.len()).unwrap(), rows));
        bytes.extend(pages);
    }
    let group = Thrift::default().structures(1, chunks).i64(2, 0).i64(3, rows);
    let elements: Vec<Thrift> = columns.iter().flat_map(Column::elements).collect();
    with_footer(bytes, footer_of(columns.len(), &elements, rows, vec![group]))
}

/// What a footer begins with: the columns of the root, and the row groups.
pub(crate) fn footer(elements: &[Thrift], rows: i64, groups: Vec<Thrift>) -> Thrift {
    footer_of(elements.len(), elements, rows, groups)
}

fn footer_of(columns: usize, elements: &[Thrift], rows: i64, groups: Vec<Thrift>) -> Thrift {
    let root = Thrift::default().text(4, "schema").i32(5, i64::try_from(columns).unwrap());
    let schema = [root].into_iter().chain(elements.iter().cloned());
    Thrift::default().i32(1, 1).structures(2, schema).i64(3, rows).structures(4, groups)
}

/// Ends a file.
pub(crate) fn with_footer(data: Vec<u8>, footer: Thrift) -> Vec<u8> {
    ended(data, &footer.end())
}

/// Ends a file with any bytes as its footer.
pub(crate) fn ended(mut data: Vec<u8>, footer: &[u8]) -> Vec<u8> {
    data.extend(footer);
    data.extend(u32::try_from(footer.len()).unwrap().to_le_bytes());
    data.extend(b"PAR1");
    data
}

/// A run of one value, of less than 256.
pub(crate) fn run(length: usize, value: u8) -> Vec<u8> {
    [varint(length << 1), vec![value]].concat()
}

/// Levels before their values.
pub(crate) fn levels(runs: &[u8], values: &[u8]) -> Vec<u8> {
    [&u32::try_from(runs.len()).unwrap().to_le_bytes()[..], runs, values].concat()
}

/// Zstandard of so many blocks of 128 KiB of zeros, four bytes each.
pub(crate) fn zstd_zeros(blocks: usize) -> Vec<u8> {
    // A window of 128 KiB, then blocks of the kind that repeats one byte.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    let head = |is_last: u32| (128 << 10 << 3 | 1 << 1 | is_last).to_le_bytes();
    for block in 1..=blocks {
        frame.extend(&head(u32::from(block == blocks))[..3]);
        frame.push(0);
    }
    frame
}
