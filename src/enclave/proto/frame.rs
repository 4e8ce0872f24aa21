use std::io;

use bytes::Bytes;
use minicbor::{Decoder, Encoder};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use zeroize::Zeroizing;

use super::MAX_FRAME;
use super::field::{Field, Input, Malformed};

/// Length prefix.
const PREFIX: usize = 4;

/// A whole frame: prefix, call number, message. `None` if the body is longer than [`MAX_FRAME`].
///
/// Measured first and allocated once: a buffer that grows leaves copies of the plaintext behind.
pub(in crate::enclave) fn encode(number: u64, message: &impl Field) -> Option<Zeroizing<Vec<u8>>> {
    let mut measure = Encoder::new(Count(0));
    write(&mut measure, number, message)?;
    let len = measure.into_writer().0;
    let prefix = u32::try_from(len).ok().filter(|_| len <= MAX_FRAME)?;
    let mut frame = Zeroizing::new(Vec::with_capacity(PREFIX + len));
    frame.extend_from_slice(&prefix.to_be_bytes());
    write(&mut Encoder::new(&mut *frame), number, message)?;
    Some(frame)
}

fn write<W: minicbor::encode::Write>(out: &mut Encoder<W>, number: u64, message: &impl Field) -> Option<()> {
    number.put(out).ok()?;
    message.put(out).ok()
}

/// Reads a body, all of it.
pub(in crate::enclave) fn decode<T: Field>(body: &Bytes) -> Result<(u64, T), Malformed> {
    let mut input = Input { decoder: Decoder::new(body), frame: body };
    let read = (u64::take(&mut input)?, T::take(&mut input)?);
    if input.decoder.position() == body.len() { Ok(read) } else { Err(Malformed) }
}

/// The next body, wiped when the last slice of it goes; `None` where the stream ends between frames.
pub(in crate::enclave) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Bytes>> {
    let mut prefix = [0; PREFIX];
    if stream.read(&mut prefix[..1]).await? == 0 {
        return Ok(None);
    }
    stream.read_exact(&mut prefix[1..]).await?;
    let len = u32::from_be_bytes(prefix) as usize;
    if len > MAX_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame is longer than the protocol allows"));
    }
    let mut body = Zeroizing::new(vec![0; len]);
    stream.read_exact(&mut body).await?;
    Ok(Some(Bytes::from_owner(body)))
}

/// Counts bytes and keeps none.
struct Count(usize);

impl minicbor::encode::Write for Count {
    type Error = std::convert::Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(())
    }
}
