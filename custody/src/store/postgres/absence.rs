//! That nobody answered at the server's address, told to those who waited for their turn meanwhile.
//!
//! Writers take turns, and where nobody listens each of them would wait for as long as a connection may take: the tenth
//! ten times as long. Whoever came before that was found out is told at once; whoever comes later tries again.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::error::CustodyError;

/// When it was found out last, and what was said.
#[derive(Debug, Default)]
pub(super) struct Absence(Mutex<Option<(Instant, CustodyError)>>);

impl Absence {
    /// Nobody answered, for as long as one waits.
    pub(super) fn note(&self, error: &CustodyError) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), error.clone()));
    }

    /// # Errors
    /// What was said, if that was found out after this moment.
    pub(super) fn found_since(&self, moment: Instant) -> Result<(), CustodyError> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((found, error)) if *found > moment => Err(error.clone()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_came_before_it_was_found_out_is_told_and_who_comes_later_is_not() {
        let absence = Absence::default();
        let before = Instant::now();
        assert!(absence.found_since(before).is_ok());
        while Instant::now() == before {}
        absence.note(&CustodyError::Busy);
        assert!(matches!(absence.found_since(before), Err(CustodyError::Busy)));
        assert!(absence.found_since(Instant::now()).is_ok());
    }
}
