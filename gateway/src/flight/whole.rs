//! The streams that clients send, to their ends.
//!
//! Owns: that a stream which was cut off does not look like one that came to its end. The server's library takes a client's
//! cancel, and what a proxy resets, for the end of its messages; rows that were sent until then would be committed as if they
//! were all. <https://www.rfc-editor.org/rfc/rfc9113#section-5.1>

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tonic::Status;
use tonic::codegen::Service;
use tonic::codegen::http::Request;
use tonic::server::NamedService;

/// A service whose requests end only where their clients have ended them.
#[derive(Clone)]
pub(super) struct Whole<S>(pub(super) S);

impl<S: NamedService> NamedService for Whole<S> {
    const NAME: &'static str = S::NAME;
}

impl<S: Service<Request<Ended<B>>>, B> Service<Request<B>> for Whole<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        self.0.call(request.map(Ended))
    }
}

/// A body that fails where it breaks off.
pub(super) struct Ended<B>(B);

impl<B: Body<Data = Bytes> + Unpin> Body for Ended<B> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let broken = || Some(Err(Status::unavailable("the stream broke off")));
        Pin::new(&mut self.0).poll_frame(cx).map(|frame| match frame {
            Some(Ok(frame)) => Some(Ok(frame)),
            Some(Err(_)) => broken(),
            None if self.0.is_end_stream() => None,
            None => broken(),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::future::poll_fn;

    use super::*;

    struct Sent {
        frames: VecDeque<Result<Bytes, Status>>,
        is_ended: bool,
    }

    impl Body for Sent {
        type Data = Bytes;
        type Error = Status;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
            Poll::Ready(self.frames.pop_front().map(|frame| frame.map(Frame::data)))
        }

        fn is_end_stream(&self) -> bool {
            self.is_ended && self.frames.is_empty()
        }
    }

    #[tokio::test]
    async fn only_an_end_that_was_sent_is_one() {
        let frame = || Ok(Bytes::from_static(b"rows"));
        for (frames, is_ended, fails) in [
            (vec![frame()], true, false),
            (vec![frame()], false, true),
            (vec![frame(), Err(Status::cancelled("reset"))], true, true),
        ] {
            let mut body = Ended(Sent { frames: frames.into(), is_ended });
            assert!(poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.unwrap().is_ok());
            let end = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
            assert_eq!(end.map(|frame| frame.unwrap_err().code()), fails.then_some(tonic::Code::Unavailable));
        }
    }
}
