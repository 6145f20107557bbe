//! What keys can ask for.

/// Everything a key can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// One line up.
    Up,
    /// One line down.
    Down,
    /// One step left.
    Left,
    /// One step right.
    Right,
    /// One page up.
    PageUp,
    /// One page down.
    PageDown,
    /// To the first line.
    First,
    /// To the last line.
    Last,
    /// Opens, accepts, goes on.
    Accept,
    /// One step back.
    Back,
    /// The next field or pane.
    Next,
    /// The field or pane before.
    Previous,
    /// Says yes.
    Yes,
    /// Says no.
    No,
    /// The help of this screen.
    Help,
    /// The command palette.
    Palette,
    /// Locks at once.
    Lock,
    /// Leaves the console.
    Quit,
    /// Draws the whole screen again.
    Redraw,
    /// Shows a secret for 30 seconds, or hides it again.
    Reveal,
    /// Completes the word being typed.
    Complete,
    /// Starts the filter.
    Filter,
    /// Clears the filter.
    ClearFilter,
    /// Marks or unmarks the line.
    Mark,
    /// Marks everything that the filter shows.
    MarkAll,
    /// Forgets all marks.
    ClearMarks,
    /// Shows the list of what can be done with the marked.
    Act,
    /// Edits the label.
    Label,
    /// Adds tags.
    AddTags,
    /// Removes tags.
    RemoveTags,
    /// Derives more wallets.
    Derive,
    /// Sorts by the next column.
    Sort,
    /// Turns the order round.
    Reverse,
    /// Asks again (balances, history).
    Refresh,
    /// Copies the address.
    Copy,
    /// Starts a transfer.
    Send,
    /// Goes to the wallets.
    GoWallets,
    /// Goes to the audit log.
    GoAudit,
    /// Goes to the jobs.
    GoJobs,
    /// Goes to the settings.
    GoSettings,
    /// Cancels what runs.
    Cancel,
    /// Verifies the audit log.
    Verify,
    /// Signs a checkpoint of the audit log.
    Checkpoint,
    /// Shows all instructions.
    Details,
    /// Goes back to edit.
    Edit,
    /// Signs and sends.
    Sign,
    /// Steps through the values of a setting.
    Change,
    /// Tries the node's endpoint.
    Test,
    /// Follows unresolved transfers to their end.
    Resume,
    /// Says that an equal transfer is a separate payment.
    Separate,
    /// Brings in a key or a phrase from elsewhere.
    Import,
    /// Takes a wallet's key out.
    Export,
    /// Shows wallets of one chain only, then of the other, then all.
    NextChain,
    /// Goes to backup and recovery.
    GoBackup,
    /// Shows what a transaction or message does.
    Inspect,
    /// Looks for the path and passphrase of an address.
    FindPath,
    /// Goes to the owners.
    GoOwners,
    /// Gives wallets to an owner.
    Owner,
    /// Makes a wallet its owner's primary one.
    Primary,
    /// Says what wallets are for.
    Role,
    /// Deletes a wallet or an owner, or restores a deleted wallet.
    Delete,
    /// Adds something.
    New,
    /// Goes to the keys that are to be replaced.
    GoRotations,
    /// Gives a wallet a new key, or everything that is due one.
    Rotate,
    /// Opens the vault by its recovery key.
    Recover,
    /// Destroys keys of deleted wallets.
    Purge,
    /// Counts the audit log's entries by operation and outcome.
    Counts,
    /// Shows the failures of the last day only, or everything again.
    Failures,
    /// Compares the audit log with a checkpoint, or proves something of it.
    Prove,
    /// Empties old audit entries to their hashes.
    Redact,
    /// Goes to the address book.
    GoBook,
    /// Tries again what failed.
    Retry,
    /// Pauses a stored job, or lets it go on.
    Pause,
    /// Runs a stored job.
    Run,
    /// Plans paying many.
    Distribute,
    /// Plans collecting from many.
    Consolidate,
    /// Plans closing empty token accounts.
    CloseAccounts,
    /// Stores a plan without running it.
    Keep,
    /// Tries every transaction of a plan.
    Try,
    /// Holds a stored job against the chain.
    Report,
    /// Goes to the stored jobs.
    GoBulk,
    /// Shows what happened to a wallet.
    History,
    /// Shows a wallet's token accounts.
    Tokens,
    /// Goes to the portfolio.
    GoPortfolio,
    /// Shows a wallet's durable nonces.
    Nonces,
    /// Gives a durable nonce its next value.
    Advance,
}
