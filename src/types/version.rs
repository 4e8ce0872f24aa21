/// A version of Tessera's API, as peers and nodes negotiate it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ApiVersion {
    /// Standard private transactions.
    V1,
    /// Privacy enhancements (flags 1 and 3).
    V2,
    /// Multi-tenancy media type.
    V2_1,
    /// Privacy groups and multiple private states.
    V3,
    /// Mandatory recipients (flag 2).
    V4,
    /// CBOR codec between peers.
    V5,
}

impl ApiVersion {
    /// Every version, oldest first.
    pub const ALL: [Self; 6] = [Self::V1, Self::V2, Self::V2_1, Self::V3, Self::V4, Self::V5];

    /// Spelling in the `tesseraSupportedApiVersions` header.
    pub const fn header_name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
            Self::V2_1 => "2.1",
            Self::V3 => "3.0",
            Self::V4 => "4.0",
            Self::V5 => "5.0",
        }
    }

    /// Spelling in `GET /version/api`.
    pub const fn api_name(self) -> &'static str {
        match self {
            Self::V1 => "1.0",
            Self::V2 => "2.0",
            other => other.header_name(),
        }
    }
}

/// How a payload is written on the peer surface.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Codec {
    /// CBOR map, API 5.0.
    Cbor,
    /// Constellation's length-prefixed layout, every version.
    Legacy,
}

/// The versions that a peer says it speaks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct VersionSet(u8);

impl VersionSet {
    /// Every version that Celosia speaks.
    pub const ALL: Self = Self(0b11_1111);

    /// Reads header values; each may hold several versions, separated by commas. Unknown ones are passed over.
    pub fn parse<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let names = values.into_iter().flat_map(|value| value.split(','));
        let known = names.filter_map(|name| ApiVersion::ALL.into_iter().find(|v| v.header_name() == name.trim()));
        Self(known.fold(0, |set, version| set | (1 << version as u8)))
    }

    /// Whether the peer speaks the version.
    pub const fn contains(self, version: ApiVersion) -> bool {
        self.0 & (1 << version as u8) != 0
    }

    /// The same set without one version.
    #[must_use]
    pub const fn without(self, version: ApiVersion) -> Self {
        Self(self.0 & !(1 << version as u8))
    }

    /// The codec to write to this peer, and the one in which it writes to us.
    pub const fn codec(self) -> Codec {
        if self.contains(ApiVersion::V5) { Codec::Cbor } else { Codec::Legacy }
    }

    /// Header values, sorted as Tessera sorts them.
    pub fn header_names(self) -> impl Iterator<Item = &'static str> {
        const SORTED: [ApiVersion; 6] =
            [ApiVersion::V2_1, ApiVersion::V3, ApiVersion::V4, ApiVersion::V5, ApiVersion::V1, ApiVersion::V2];
        SORTED.into_iter().filter(move |version| self.contains(*version)).map(ApiVersion::header_name)
    }
}
