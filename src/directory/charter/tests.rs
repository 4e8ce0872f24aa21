use super::*;

#[test]
fn an_empty_folder_says_how_to_begin() {
    let folder = tempfile::tempdir().unwrap();
    let error = CharterFolder::open(folder.path(), None, Timestamp::MAX).unwrap_err();
    assert!(matches!(error, FolderError::Empty(_)) && error.to_string().contains("celosia governance publish"), "{error}");
    std::fs::write(folder.path().join("first.note"), "text").unwrap();
    let error = CharterFolder::open(folder.path(), None, Timestamp::MAX).unwrap_err();
    assert!(matches!(error, FolderError::Misnamed(_)), "{error}");
    let error = CharterFolder::open(&folder.path().join("nowhere"), None, Timestamp::MAX).unwrap_err();
    assert!(matches!(error, FolderError::Io { .. }), "{error}");
}
