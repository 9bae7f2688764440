//! `s3s-fs` with what it lacks: conditions that hold under a race, If-Match on reads, ETags in listings, faults.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures::{StreamExt, TryStreamExt};
use s3s::dto::*;
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use s3s_fs::FileSystem;
use tokio::sync::RwLock;

use super::fault::{Fault, Faults, Operation, slow_down};

/// Objects in a folder. Writers of one key exclude each other and its readers.
pub(super) struct Store {
    files: FileSystem,
    faults: Arc<Faults>,
    locks: Mutex<HashMap<String, Arc<RwLock<()>>>>,
}

impl Store {
    pub(super) fn new(files: FileSystem, faults: Arc<Faults>) -> Self {
        Self { files, faults, locks: Mutex::default() }
    }

    fn lock(&self, bucket: &str, key: &str) -> Arc<RwLock<()>> {
        Arc::clone(self.locks.lock().unwrap().entry(format!("{bucket}/{key}")).or_default())
    }

    /// The ETag of an object; an absent one is NoSuchKey.
    async fn e_tag(&self, bucket: &str, key: &str, like: &S3Request<()>) -> S3Result<Option<ETag>> {
        let input = HeadObjectInput::builder().bucket(bucket.to_owned()).key(key.to_owned()).build();
        let input = input.map_err(|error| S3Error::with_source(S3ErrorCode::InternalError, Box::new(error)))?;
        Ok(self.files.head_object(like.clone().map_input(|()| input)).await?.output.e_tag)
    }

    /// Refuses a read whose If-Match names another version.
    async fn check_match(
        &self,
        bucket: &str,
        key: &str,
        condition: Option<&ETagCondition>,
        like: &S3Request<()>,
    ) -> S3Result<()> {
        let Some(ETagCondition::ETag(wanted)) = condition else { return Ok(()) };
        let current = self.e_tag(bucket, key, like).await?;
        if current.is_some_and(|current| current.strong_cmp(wanted)) {
            return Ok(());
        }
        Err(S3Error::new(S3ErrorCode::PreconditionFailed))
    }
}

/// The request without its input, to ask something else in its name.
fn like<T>(request: &S3Request<T>) -> S3Request<()> {
    S3Request {
        input: (),
        method: request.method.clone(),
        uri: request.uri.clone(),
        headers: request.headers.clone(),
        extensions: Default::default(),
        credentials: request.credentials.clone(),
        region: request.region.clone(),
        service: request.service.clone(),
        trailing_headers: None,
    }
}

/// Answers 503 after the work was done, if told so.
fn lost<T>(fault: Option<Fault>, response: S3Response<T>) -> S3Result<S3Response<T>> {
    match fault {
        Some(Fault::AppliedThenSlowDown) => Err(slow_down()),
        Some(Fault::AppliedThenDenied) => Err(S3Error::new(S3ErrorCode::AccessDenied)),
        _ => Ok(response),
    }
}

#[async_trait::async_trait]
impl S3 for Store {
    async fn get_object(&self, mut req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let (bucket, key) = (req.input.bucket.clone(), req.input.key.clone());
        let fault = self.faults.meet(Operation::Get, &key).await?;
        let lock = self.lock(&bucket, &key);
        let _reading = lock.read().await;
        self.check_match(&bucket, &key, req.input.if_match.as_ref(), &like(&req)).await?;
        if fault == Some(Fault::IgnoreRange) {
            req.input.range = None;
        }
        let mut response = self.files.get_object(req).await?;
        match fault {
            Some(Fault::CutBody(length)) => response.output.body = response.output.body.map(|body| cut(body, length)),
            Some(Fault::Reset) => response.output.body = Some(reset()),
            _ => {}
        }
        Ok(response)
    }

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let (bucket, key) = (req.input.bucket.clone(), req.input.key.clone());
        self.faults.meet(Operation::Head, &key).await?;
        let lock = self.lock(&bucket, &key);
        let _reading = lock.read().await;
        self.check_match(&bucket, &key, req.input.if_match.as_ref(), &like(&req)).await?;
        self.files.head_object(req).await
    }

    async fn list_objects_v2(&self, req: S3Request<ListObjectsV2Input>) -> S3Result<S3Response<ListObjectsV2Output>> {
        let bucket = req.input.bucket.clone();
        self.faults.meet(Operation::List, req.input.prefix.as_deref().unwrap_or("")).await?;
        let like = like(&req);
        let mut response = self.files.list_objects_v2(req).await?;
        let listed = response.output.contents.take().unwrap_or_default();
        let mut contents = Vec::new();
        for mut object in listed {
            let key = object.key.clone().unwrap_or_default();
            let lock = self.lock(&bucket, &key);
            let _reading = lock.read().await;
            // An object that went away since the listing is not in the answer, as in a real store.
            if let Ok(e_tag) = self.e_tag(&bucket, &key, &like).await {
                object.e_tag = e_tag;
                contents.push(object);
            }
        }
        response.output.contents = Some(contents);
        Ok(response)
    }

    async fn put_object(&self, mut req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let fault = self.faults.meet(Operation::Put, &req.input.key).await?;
        if fault == Some(Fault::IgnoreCondition) {
            req.input.if_none_match = None;
        }
        let lock = self.lock(&req.input.bucket, &req.input.key);
        let _writing = lock.write().await;
        lost(fault, self.files.put_object(req).await?)
    }

    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        let fault = self.faults.meet(Operation::Delete, &req.input.key).await?;
        let lock = self.lock(&req.input.bucket, &req.input.key);
        let _writing = lock.write().await;
        lost(fault, self.files.delete_object(req).await?)
    }

    async fn delete_objects(&self, req: S3Request<DeleteObjectsInput>) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let keys: Vec<String> = req.input.delete.objects.iter().map(|object| object.key.clone()).collect();
        let mut writing = Vec::new();
        // In one order, so that two requests never wait for each other.
        for key in keys.iter().collect::<std::collections::BTreeSet<_>>() {
            self.faults.meet(Operation::Delete, key).await?;
            writing.push(self.lock(&req.input.bucket, key).write_owned().await);
        }
        self.files.delete_objects(req).await
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        self.faults.meet(Operation::Multipart, &req.input.key).await?;
        self.files.create_multipart_upload(req).await
    }

    async fn upload_part(&self, req: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        self.faults.meet(Operation::Multipart, &req.input.key).await?;
        self.files.upload_part(req).await
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let fault = self.faults.meet(Operation::Multipart, &req.input.key).await?;
        let lock = self.lock(&req.input.bucket, &req.input.key);
        let _writing = lock.write().await;
        lost(fault, self.files.complete_multipart_upload(req).await?)
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.files.abort_multipart_upload(req).await
    }
}

/// A body that breaks off with an error, upon which the server resets the connection.
fn cut(body: StreamingBlob, length: usize) -> StreamingBlob {
    let mut left = length;
    let kept = body.map(move |chunk| {
        let chunk = chunk.map_err(|error| std::io::Error::other(error.to_string()))?;
        let kept = chunk.slice(..chunk.len().min(left));
        left -= kept.len();
        Ok(kept)
    });
    let kept = kept.try_take_while(|chunk| std::future::ready(Ok(!chunk.is_empty())));
    StreamingBlob::wrap(kept.chain(futures::stream::once(async {
        // The server sends what it has whenever the body makes it wait.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        broken()
    })))
}

/// A body that breaks before anything was sent, not even the status.
fn reset() -> StreamingBlob {
    StreamingBlob::wrap(futures::stream::iter([broken()]))
}

fn broken() -> std::io::Result<bytes::Bytes> {
    Err(std::io::Error::other("cut by the test"))
}
