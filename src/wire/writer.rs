use bytes::Bytes;

/// Writes length-prefixed fields, the other side of [`super::reader::Reader`].
pub(super) struct Writer(Vec<u8>);

impl Writer {
    /// Room for so many bytes.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// A count, before its items.
    pub(super) fn count(&mut self, count: usize) {
        let count = i64::try_from(count).expect("nothing in memory has more than i64::MAX parts");
        self.0.extend_from_slice(&count.to_be_bytes());
    }

    /// `i64 length ‖ bytes`.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// `i64 count ‖ (i64 length ‖ bytes)…`.
    pub(super) fn list<'a>(&mut self, items: impl ExactSizeIterator<Item = &'a [u8]>) {
        self.count(items.len());
        items.for_each(|item| self.bytes(item));
    }

    /// What was written.
    pub(super) fn finish(self) -> Bytes {
        self.0.into()
    }
}
