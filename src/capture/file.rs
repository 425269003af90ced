//! Captured requests as files.

use std::{fs::OpenOptions, io, io::Write, path::Path};

use crate::capture::CapturedRequest;

impl CapturedRequest {
    /// Writes the request to a new file as JSON, without
    /// [credentials](CapturedRequest::with_credentials). On Unix, only the owner of the file can
    /// read it (mode 0600).
    ///
    /// # Errors
    ///
    /// When the file exists already or cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        text.push(b'\n');
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        file.write_all(&text)?;
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Head;

    #[test]
    fn a_file_is_new_and_for_its_owner_only() {
        let path = std::env::temp_dir().join(format!("captured-{}.json", std::process::id()));
        let headers = [("Cookie", "hush")];
        let captured = CapturedRequest::new(&Head::new(&headers), "{}");
        captured.save(&path).unwrap();
        let again = captured.save(&path).unwrap_err();
        let text = std::fs::read(&path).unwrap();
        #[cfg(unix)]
        {
            let mode = std::fs::metadata(&path).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::mode(&mode.permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        let read = CapturedRequest::read(&text).unwrap();
        assert_eq!(read.body(), "{}");
        assert!(!String::from_utf8(text).unwrap().contains("hush"));
    }
}
