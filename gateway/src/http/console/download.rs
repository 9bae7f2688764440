//! `POST /console/api/download`: the rows of one query as a file, CSV or Parquet, made while it is sent.
//!
//! Owns: that no more of it is in memory than a row group. A query that fails on its way breaks the download, so that a part is
//! never taken for the whole.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State as Shared};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::Console;
use super::failure::Failure;
use super::rows::Cells;
use super::session::{Given, Seat};
use crate::engine::{FileColumns, QueryStream};
use crate::error::{Error, Result, SqlState};

/// Of a row group, in memory.
const GROUP_BYTES_MAX: usize = 16 << 20;

type Chunks = BoxStream<'static, Result<Bytes>>;

/// The fields of the form.
#[derive(Default)]
struct Form {
    sql: String,
    format: String,
    token: String,
}

impl Form {
    fn read(body: &[u8]) -> Self {
        let mut form = Self::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            match name.as_ref() {
                "sql" => form.sql = value.into_owned(),
                "format" => form.format = value.into_owned(),
                "token" => form.token = value.into_owned(),
                _ => {}
            }
        }
        form
    }
}

pub(super) async fn download(
    Shared(console): Shared<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let form = Form::read(&body);
    let visitor = console.visitor_of_page(&headers, Some(&form.token))?;
    let seat = console.seat(&visitor.login, peer, "Lakegate console, download")?;
    let (chunks, kind, name) = match form.format.as_str() {
        "csv" => (csv(&console, seat, form.sql).await?, "text/csv; charset=utf-8", "query.csv"),
        "parquet" => (parquet(&console, seat, form.sql).await?, "application/vnd.apache.parquet", "query.parquet"),
        other => {
            let message = format!("unknown format \"{other}\"");
            return Err(Error::new(SqlState::InvalidParameterValue, message).into());
        }
    };
    let chunks = console.streams.watch(chunks);
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, disposition)];
    Ok((headers, Body::from_stream(chunks)).into_response())
}

/// The rows of the one query, and the columns of a file of it.
async fn rows(
    console: &Console,
    seat: &Seat,
    sql: String,
    is_typed: bool,
) -> Result<(Box<QueryStream>, Option<FileColumns>)> {
    let mut statements = console.engine.parse(sql).await?;
    let statement = statements.pop().ok_or_else(|| Error::new(SqlState::SyntaxError, "no statement was given"))?;
    if !statements.is_empty() {
        return Err(Error::new(SqlState::SyntaxError, "a download is of one statement"));
    }
    let (guard, prepared) = console.prepare(seat, statement).await?;
    if !prepared.returns_rows {
        return Err(Error::new(SqlState::FeatureNotSupported, "a download is of a statement that gives rows"));
    }
    let columns = if is_typed { Some(prepared.file_columns()?) } else { None };
    match console.execute(seat, &guard, &prepared).await? {
        Given::Rows(stream, _) => Ok((stream, columns)),
        Given::Done(_) => Err(Error::internal("a statement that gives rows gave none")),
    }
}

async fn csv(console: &Arc<Console>, seat: Seat, sql: String) -> Result<Chunks> {
    let (stream, _) = rows(console, &seat, sql, false).await?;
    let output = console.engine.output(&seat.session.vars().display());
    let cells = Arc::new(Cells::of(&stream, output));
    let head = Bytes::from(cells.csv_head());
    let console = Arc::clone(console);
    let lines = stream::try_unfold((stream, seat), move |(mut stream, seat)| {
        let (console, cells) = (Arc::clone(&console), Arc::clone(&cells));
        async move {
            let Some(batch) = stream.next().await.transpose()? else { return Ok(None) };
            let lines = console.engine.on_cpu(move || cells.csv(&batch)).await??;
            sent(&stream, lines.len());
            Ok::<_, Error>(Some((Bytes::from(lines), (stream, seat))))
        }
    });
    Ok(stream::once(async { Ok(head) }).chain(lines.try_filter(|lines| std::future::ready(!lines.is_empty()))).boxed())
}

/// A Parquet file that is being written.
struct File {
    console: Arc<Console>,
    stream: Box<QueryStream>,
    columns: FileColumns,
    writer: ArrowWriter<Vec<u8>>,
    _seat: Seat,
}

async fn parquet(console: &Arc<Console>, seat: Seat, sql: String) -> Result<Chunks> {
    let (stream, columns) = rows(console, &seat, sql, true).await?;
    let columns = columns.ok_or_else(|| Error::internal("a file has no columns"))?;
    let writer = ArrowWriter::try_new(Vec::new(), columns.schema(), Some(properties()?)).map_err(failed)?;
    let file = File { console: Arc::clone(console), stream, columns, writer, _seat: seat };
    let chunks = stream::try_unfold(Some(file), |file| async move {
        let Some(file) = file else { return Ok(None) };
        file.chunk().await.map(Some)
    });
    Ok(chunks.boxed())
}

impl File {
    /// Bytes that are complete; without the file they are the last.
    async fn chunk(mut self) -> Result<(Bytes, Option<Self>)> {
        loop {
            let Some(batch) = self.stream.next().await.transpose()? else {
                let writer = self.writer;
                let bytes = self.console.engine.on_cpu(move || writer.into_inner().map_err(failed)).await??;
                sent(&self.stream, bytes.len());
                return Ok((bytes.into(), None));
            };
            let (columns, mut writer) = (self.columns.clone(), self.writer);
            let write = move || {
                writer.write(&columns.rows(&batch)?).map_err(failed)?;
                if writer.memory_size() >= GROUP_BYTES_MAX {
                    writer.flush().map_err(failed)?;
                }
                let complete = std::mem::take(writer.inner_mut());
                Ok::<_, Error>((writer, complete))
            };
            let (writer, complete) = self.console.engine.on_cpu(write).await??;
            self.writer = writer;
            if !complete.is_empty() {
                sent(&self.stream, complete.len());
                return Ok((complete.into(), Some(self)));
            }
        }
    }
}

fn sent(stream: &QueryStream, bytes: usize) {
    if let Some(entry) = stream.entry() {
        entry.add_sent(bytes);
    }
}

fn properties() -> Result<WriterProperties> {
    let level = ZstdLevel::try_new(1).map_err(failed)?;
    Ok(WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_created_by(concat!("Lakegate ", env!("CARGO_PKG_VERSION")).to_owned())
        .build())
}

fn failed(error: ParquetError) -> Error {
    Error::unsupported("the rows cannot be written as Parquet").caused_by(error)
}
