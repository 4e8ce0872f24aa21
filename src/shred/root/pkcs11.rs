use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use data_encoding::{BASE64, HEXLOWER};
use zeroize::Zeroizing;

use super::wrapped::{self, Wrapped};
use super::{RootError, RootKey, RootKind};
use crate::crypto::random;
use crate::crypto::secret::Secret;
use crate::shred::ShredError;
use crate::shred::disk::read_line;

const IV: usize = 12;
const TAG_BITS: u64 = 128;

/// How a token is reached.
#[derive(Clone, Debug)]
pub struct Pkcs11Settings {
    /// The vendor's module, a shared library.
    pub module: PathBuf,
    /// Label of the token.
    pub token: String,
    /// File with the user PIN, mode 0600; read anew for every log-in.
    pub pin_file: Option<PathBuf>,
    /// Environment variable with the PIN, where there is no file.
    pub pin_variable: String,
}

/// The root in a PKCS #11 token: for each generation an AES-256 key that the token makes and never gives away, labelled
/// `celosia-root-<store>-<generation>`. It wraps the generation's 32 random bytes (AES-GCM), which lie in `root-<generation>.wrapped`.
/// Destroying a generation destroys its object.
///
/// OASIS PKCS #11 2.40, mechanism `CKM_AES_GCM`. Threat: a copy of the key folder, even with the token and its PIN: the object that
/// would unwrap it is not in the token any more.
pub struct Pkcs11Root {
    folder: PathBuf,
    settings: Pkcs11Settings,
}

impl Pkcs11Root {
    /// Reaches nobody yet.
    pub fn new(folder: &Path, settings: Pkcs11Settings) -> Self {
        Self { folder: folder.to_owned(), settings }
    }

    /// A session as the token's user. Sessions are short: a token that is replaced is found again.
    fn session(&self) -> Result<Session, ShredError> {
        let module = module(&self.settings.module).map_err(|why| self.no_token(why))?;
        let slots = module.get_slots_with_token().map_err(|error| self.error(&error))?;
        let is_ours = |slot: &cryptoki::slot::Slot| {
            module.get_token_info(*slot).is_ok_and(|info| info.label().trim_end_matches([' ', '\0']) == self.settings.token)
        };
        let slot = slots.into_iter().find(is_ours).ok_or_else(|| self.no_token("no token of this label is present".into()))?;
        let mechanisms = module.get_mechanism_list(slot).map_err(|error| self.error(&error))?;
        if !mechanisms.contains(&MechanismType::AES_GCM) || !mechanisms.contains(&MechanismType::AES_KEY_GEN) {
            let why = "the token has no CKM_AES_GCM and CKM_AES_KEY_GEN".to_owned();
            return Err(RootError::Unfit { place: self.place(), why }.into());
        }
        let session = module.open_rw_session(slot).map_err(|error| self.error(&error))?;
        let pin = AuthPin::from(self.pin()?.as_str().to_owned());
        match session.login(UserType::User, Some(&pin)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
            Err(error) => Err(self.error(&error)),
        }
    }

    fn pin(&self) -> Result<Zeroizing<String>, ShredError> {
        let pin = match &self.settings.pin_file {
            Some(path) => read_line(path)?,
            None => Zeroizing::new(std::env::var(&self.settings.pin_variable).unwrap_or_default()),
        };
        if pin.is_empty() {
            return Err(RootError::Denied { place: self.place(), why: "no PIN is configured".into() }.into());
        }
        Ok(pin)
    }

    /// The objects of a label. More than one is what an attempt that was cut off left.
    fn objects(&self, session: &Session, label: &str) -> Result<Vec<ObjectHandle>, ShredError> {
        let template =
            [Attribute::Class(ObjectClass::SECRET_KEY), Attribute::Token(true), Attribute::Label(label.as_bytes().to_vec())];
        session.find_objects(&template).map_err(|error| self.error(&error))
    }

    fn generate(&self, session: &Session, label: &str) -> Result<ObjectHandle, ShredError> {
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::ValueLen(32.into()),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::Label(label.as_bytes().to_vec()),
            Attribute::Id(label.as_bytes().to_vec()),
        ];
        session.generate_key(&Mechanism::AesKeyGen, &template).map_err(|error| self.error(&error))
    }

    fn unwrap(&self, session: &Session, generation: u32, file: &Wrapped) -> Result<Secret<32>, ShredError> {
        let broken = || ShredError::Broken(format!("root generation {generation} from {}", self.place()));
        let objects = self.objects(session, &file.key)?;
        if objects.is_empty() {
            return Err(RootError::KeyMissing { place: self.place(), why: format!("no key {}", file.key) }.into());
        }
        let bytes = crate::types::base64(file.sealed.as_bytes()).map_err(|_| broken())?;
        let (iv, sealed) = bytes.split_first_chunk::<IV>().ok_or_else(broken)?;
        for object in objects {
            let mut iv = *iv;
            let gcm = GcmParams::new(&mut iv, file.key.as_bytes(), TAG_BITS.into()).map_err(|error| self.error(&error))?;
            if let Ok(plain) = session.decrypt(&Mechanism::AesGcm(gcm), object, sealed).map(Zeroizing::new)
                && let Some(key) = Secret::from_slice(&plain)
            {
                return Ok(key);
            }
        }
        Err(broken())
    }

    /// Name of this store in the token: that of its generations so far, or a new random one.
    fn store(&self) -> Result<String, ShredError> {
        let all = Wrapped::all(&self.folder)?;
        let known = all.last_key_value().and_then(|(generation, file)| {
            Some(file.key.strip_prefix("celosia-root-")?.strip_suffix(&format!("-{generation}"))?.to_owned())
        });
        Ok(known.unwrap_or_else(|| HEXLOWER.encode(&random::<8>())))
    }

    fn no_token(&self, why: String) -> ShredError {
        RootError::NoToken { place: self.place(), why }.into()
    }

    fn error(&self, error: &Error) -> ShredError {
        let (place, why) = (self.place(), error.to_string());
        ShredError::Root(match error {
            Error::Pkcs11(
                RvError::PinIncorrect
                | RvError::PinInvalid
                | RvError::PinLenRange
                | RvError::PinExpired
                | RvError::PinLocked
                | RvError::UserPinNotInitialized
                | RvError::UserNotLoggedIn
                | RvError::SessionReadOnly
                | RvError::ActionProhibited,
                _,
            ) => RootError::Denied { place, why },
            Error::LibraryLoading(_)
            | Error::MissingSymbol(_)
            | Error::Pkcs11(RvError::TokenNotPresent | RvError::TokenNotRecognized | RvError::DeviceRemoved, _) => {
                RootError::NoToken { place, why }
            }
            Error::Pkcs11(RvError::MechanismInvalid | RvError::TemplateInconsistent | RvError::AttributeTypeInvalid, _) => {
                RootError::Unfit { place, why }
            }
            _ => RootError::Failed { place, why },
        })
    }
}

impl RootKey for Pkcs11Root {
    fn kind(&self) -> RootKind {
        RootKind::Pkcs11
    }

    fn place(&self) -> String {
        format!("token \"{}\" of {}", self.settings.token, self.settings.module.display())
    }

    fn folder(&self) -> &Path {
        &self.folder
    }

    fn unlock(&self) -> Result<BTreeMap<u32, Secret<32>>, ShredError> {
        let all = Wrapped::all(&self.folder)?;
        if all.is_empty() {
            return Ok(BTreeMap::new());
        }
        let session = self.session()?;
        all.into_iter().map(|(generation, file)| Ok((generation, self.unwrap(&session, generation, &file)?))).collect()
    }

    fn make(&self, generation: u32) -> Result<Secret<32>, ShredError> {
        let session = self.session()?;
        let label = format!("celosia-root-{}-{generation}", self.store()?);
        for leftover in self.objects(&session, &label)? {
            session.destroy_object(leftover).map_err(|error| self.error(&error))?;
        }
        let object = self.generate(&session, &label)?;
        let key = Secret::<32>::random();
        let mut iv: [u8; IV] = random();
        let front = iv;
        let gcm = GcmParams::new(&mut iv, label.as_bytes(), TAG_BITS.into()).map_err(|error| self.error(&error))?;
        let sealed = session.encrypt(&Mechanism::AesGcm(gcm), object, key.expose()).map_err(|error| self.error(&error))?;
        let sealed = BASE64.encode(&[front.as_slice(), &sealed].concat());
        let file = Wrapped { kind: RootKind::Pkcs11, key: label, sealed };
        // Tokens differ: what does not open again is not relied upon.
        if self.unwrap(&session, generation, &file)? != key {
            return Err(RootError::Unfit { place: self.place(), why: "it does not open what it wrapped".into() }.into());
        }
        file.write(&self.folder, generation)?;
        Ok(key)
    }

    /// Only when the token itself finds the object no more is the file removed: a failure is tried again.
    fn destroy(&self, generation: u32) -> Result<String, ShredError> {
        let all = Wrapped::all(&self.folder)?;
        let Some(file) = all.get(&generation) else { return Ok("gone already".to_owned()) };
        let session = self.session()?;
        let objects = self.objects(&session, &file.key)?;
        let count = objects.len();
        for object in objects {
            session.destroy_object(object).map_err(|error| self.error(&error))?;
        }
        if !self.objects(&session, &file.key)?.is_empty() {
            let why = format!("{} is still there after C_DestroyObject", file.key);
            return Err(RootError::Failed { place: self.place(), why }.into());
        }
        wrapped::remove(&self.folder, generation)?;
        Ok(format!(
            "token \"{}\": C_DestroyObject CKR_OK for {count} object(s) {}, and no such object is found any more; backups of the token itself are not reached",
            self.settings.token, file.key
        ))
    }
}

/// A module, loaded and initialised once in a process: the standard forbids it twice.
fn module(path: &Path) -> Result<Pkcs11, String> {
    static LOADED: OnceLock<Mutex<BTreeMap<PathBuf, Pkcs11>>> = OnceLock::new();
    let mut loaded = LOADED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(module) = loaded.get(path) {
        return Ok(module.clone());
    }
    let module = Pkcs11::new(path).map_err(|error| error.to_string())?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(error.to_string()),
    }
    loaded.insert(path.to_owned(), module.clone());
    Ok(module)
}
