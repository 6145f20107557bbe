//! What keeps a new file's name through a power cut: its folder, written through as well.

use std::fs::File;
use std::path::Path;

/// Makes the name of a new file durable, as its content is already.
///
/// Not every folder may be opened, and not every file system does this. The file is complete all the same, so that it
/// did not work is logged and no failure: whoever is told of one would take the file for missing.
pub(crate) fn sync_folder(path: &Path) {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if let Err(error) = File::open(folder).and_then(|folder| folder.sync_all()) {
        tracing::warn!(kind = ?error.kind(), "the folder of a new file was not written through");
    }
}
