//! The files that are, or would be, part of a commit.

use anyhow::Context as _;

use crate::process::{self, program};
use crate::workspace;

/// One text file.
#[derive(Debug)]
pub(super) struct SourceFile {
    /// Below the root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

impl SourceFile {
    /// The file name without its folders.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// All text files; files that are not UTF-8 have a path and an empty text.
#[derive(Debug)]
pub(super) struct Tree {
    files: Vec<SourceFile>,
}

impl Tree {
    /// Reads what git tracks, and new files that it does not ignore: they are what the next commit may bring.
    pub(super) fn read() -> anyhow::Result<Self> {
        let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let listed = process::output(&mut program("git", &arguments))?;
        let mut files = Vec::new();
        for path in listed.split_terminator('\0') {
            let full = workspace::path(path);
            // Deleted but not yet staged, or a link to elsewhere.
            if !full.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
                continue;
            }
            let bytes = std::fs::read(&full).with_context(|| format!("could not read {path}"))?;
            files.push(SourceFile {
                path: path.to_owned(),
                text: String::from_utf8(bytes).unwrap_or_default(),
            });
        }
        Ok(Self { files })
    }

    pub(super) fn files(&self) -> &[SourceFile] {
        &self.files
    }

    pub(super) fn rust_files(&self) -> impl Iterator<Item = &SourceFile> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| SourceFile {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        Self {
            files: files.iter().map(file).collect(),
        }
    }
}
