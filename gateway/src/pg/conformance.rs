//! A second reading of the protocol: what we write and read, checked against the message types of `pgwire`.
//!
//! Owns: nothing but tests. The server itself writes and reads without `pgwire`, whose readers panic on short bodies and
//! whose writers refuse long error texts; as an independent implementation it is the best witness.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use bytes::{Buf, Bytes, BytesMut};
use pgwire::messages::extendedquery::{Bind as PeerBind, Close, Describe, Execute, Flush, Parse, Sync};
use pgwire::messages::simplequery::Query;
use pgwire::messages::terminate::Terminate;
use pgwire::messages::{DecodeContext, PgWireBackendMessage, PgWireFrontendMessage as Peer, ProtocolVersion};
use proptest::prelude::*;

use super::backend::{self, Severity, Signal};
use super::encode::Format;
use super::frame::Frame;
use super::message::{Bind, Message, Target};
use crate::engine::Origin;
use crate::error::{Error, SqlState};
use crate::session::CancelKey;
use crate::session::transaction::Status;

/// Every message of the server, one after the other.
fn said(text: &str, number: i32) -> BytesMut {
    let mut out = BytesMut::new();
    backend::authentication_sasl(&mut out, &["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]);
    backend::authentication_sasl_continue(&mut out, text);
    backend::authentication_sasl_final(&mut out, text);
    backend::authentication_ok(&mut out);
    backend::negotiate_protocol_version(&mut out, 196_610, &["_pq_.unknown".to_owned()]);
    backend::backend_key_data(&mut out, number, &CancelKey(vec![7; 32]));
    backend::parameter_status(&mut out, "client_encoding", text);
    for status in [Status::Idle, Status::InBlock, Status::Failed] {
        backend::ready_for_query(&mut out, status);
    }
    let error = Error::new(SqlState::UndefinedTable, text).detail(text).hint(text).at(1);
    backend::error_response(&mut out, Severity::Error, &error);
    backend::error_response(&mut out, Severity::Fatal, &Error::new(SqlState::AdminShutdown, text));
    let fields = vec![Field::new(text, DataType::Int32, true), Field::new("b", DataType::Decimal128(10, 2), true)];
    let origin = Some(Origin { relation: 16_384, attribute: 2 });
    backend::row_description(
        &mut out,
        &Arc::new(Schema::new(fields)),
        &[origin, None],
        &[Format::Text, Format::Binary],
    )
    .unwrap();
    backend::parameter_description(&mut out, &[20, 25, number.unsigned_abs()]).unwrap();
    backend::command_complete(&mut out, text);
    use Signal::{BindComplete, CloseComplete, EmptyQueryResponse, NoData, ParseComplete, PortalSuspended};
    for signal in [ParseComplete, BindComplete, CloseComplete, NoData, EmptyQueryResponse, PortalSuspended] {
        backend::signal(&mut out, signal);
    }
    out
}

/// The frame of a message, as the socket gives it.
fn framed(peer: &Peer) -> Frame {
    let mut bytes = BytesMut::new();
    peer.encode(&mut bytes).unwrap();
    let kind = bytes.get_u8();
    let length = bytes.get_i32() as usize - 4;
    assert_eq!(length, bytes.len());
    Frame { kind, body: bytes.freeze() }
}

fn text() -> impl Strategy<Value = String> {
    "[^\0]{0,40}"
}

fn name(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

proptest! {
    #[test]
    fn what_the_server_says_is_read_and_written_alike_by_another(text in text(), number: i32) {
        let bytes = said(&text, number);
        let mut context = DecodeContext::new(ProtocolVersion::PROTOCOL3_2);
        context.awaiting_frontend_ssl = false;
        context.awaiting_frontend_startup = false;
        let (mut rest, mut again) = (bytes.clone(), BytesMut::new());
        while !rest.is_empty() {
            let message = PgWireBackendMessage::decode(&mut rest, &context).unwrap().unwrap();
            message.encode(&mut again).unwrap();
        }
        prop_assert_eq!(again, bytes);
    }

    #[test]
    fn what_another_asks_is_understood(
        a in text(), b in text(), sql in text(), oids: Vec<u32>, rows: i32,
        params in prop::collection::vec(prop::option::of(prop::collection::vec(any::<u8>(), 0..20)), 0..9),
        formats in prop::collection::vec(0i16..2, 0..9),
    ) {
        let params: Vec<Option<Bytes>> = params.into_iter().map(|value| value.map(Bytes::from)).collect();
        let bind = PeerBind::new(name(&a), name(&b), formats.clone(), params.clone(), formats.clone());
        let target = |kind| if kind == b'S' { Target::Statement(a.clone()) } else { Target::Portal(a.clone()) };
        let rows_max = usize::try_from(rows).unwrap_or(0);
        let asked = [
            (Peer::Query(Query::new(sql.clone())), Message::Query(sql.clone())),
            (
                Peer::Parse(Parse::new(name(&a), sql.clone(), oids.clone())),
                Message::Parse { name: a.clone(), sql, param_oids: oids },
            ),
            (
                Peer::Bind(bind),
                Message::Bind(Bind {
                    portal: a.clone(), statement: b, param_formats: formats.clone(), params, result_formats: formats,
                }),
            ),
            (Peer::Describe(Describe::new(b'S', name(&a))), Message::Describe(target(b'S'))),
            (Peer::Close(Close::new(b'P', name(&a))), Message::Close(target(b'P'))),
            (Peer::Execute(Execute::new(name(&a), rows)), Message::Execute { portal: a.clone(), rows_max }),
            (Peer::Flush(Flush::new()), Message::Flush),
            (Peer::Sync(Sync::new()), Message::Sync),
            (Peer::Terminate(Terminate::new()), Message::Terminate),
        ];
        for (peer, ours) in asked {
            prop_assert_eq!(Message::decode(framed(&peer)), Ok(ours));
        }
    }
}
