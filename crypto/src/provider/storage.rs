//! The storage of openmls: private keys in memory, overwritten when dropped.
//!
//! openmls writes the tree, the context and the secrets of a group here, to load the group after a restart. We never
//! load a group, so these values are dropped without being serialised, which would be most of the cost of a commit.
//! Only the values that openmls reads during a meeting are stored: key packages and HPKE key pairs.

use crate::memory::Secret;
use openmls_traits::storage::{CURRENT_VERSION, StorageProvider, traits};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The private keys of one member in one meeting.
#[derive(Default)]
pub(crate) struct Storage<U = Dropped> {
    values: Mutex<HashMap<(Kind, Vec<u8>), Secret>>,
    unread: U,
}

/// What becomes of the secrets of an epoch, which openmls writes and which this client never reads.
pub(crate) trait Unread {
    /// Handles one value.
    ///
    /// # Errors
    /// Returns an error if the value cannot be serialised.
    fn write(&self, value: &impl Serialize) -> Result<(), Error>;
}

/// They are dropped: every program does that.
#[derive(Default)]
pub(crate) struct Dropped;

impl Unread for Dropped {
    fn write(&self, _: &impl Serialize) -> Result<(), Error> {
        Ok(())
    }
}

/// The kind of a stored value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    KeyPackage,
    Encryption,
    Epoch,
}

/// The reason why the storage failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The value is a pre-shared key or a signature key, which this client does not store in openmls.
    #[error("this storage does not store such values")]
    Unsupported,
    /// A value could not be serialised or deserialised.
    #[error("a stored key could not be read or written")]
    Serde(#[from] serde_json::Error),
}

impl Storage {
    /// Returns a copy of the private keys, with another handling of the secrets of an epoch.
    pub(crate) fn copied<U: Unread>(&self, unread: U) -> Storage<U> {
        Storage { values: Mutex::new(self.lock().clone()), unread }
    }
}

impl<U> Storage<U> {
    /// Returns what handles the secrets of an epoch.
    pub(crate) fn unread(&self) -> &U {
        &self.unread
    }

    fn write(&self, kind: Kind, key: &impl Serialize, value: &impl Serialize) -> Result<(), Error> {
        // Measure first and write once, because a growing buffer would leave copies of the private key in memory.
        let mut length = Length(0);
        serde_json::to_writer(&mut length, value)?;
        let mut secret = Secret::zeroed(length.0);
        serde_json::to_writer(secret.expose_mut(), value)?;
        self.lock().insert((kind, serde_json::to_vec(key)?), secret);
        Ok(())
    }

    fn read<V: DeserializeOwned>(&self, kind: Kind, key: &impl Serialize) -> Result<Option<V>, Error> {
        let key = serde_json::to_vec(key)?;
        let values = self.lock();
        let value = values.get(&(kind, key)).map(|secret| serde_json::from_slice(secret.expose()));
        Ok(value.transpose()?)
    }

    fn delete(&self, kind: Kind, key: &impl Serialize) -> Result<(), Error> {
        self.lock().remove(&(kind, serde_json::to_vec(key)?));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Kind, Vec<u8>), Secret>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts the written bytes.
struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Defines trait methods that ignore their arguments and return `$answer`.
macro_rules! answer {
    ($answer:expr; $($method:ident<$($kind:ident),+>($($argument:ty),+) -> $result:ty;)+) => {
        $(fn $method<$($kind: traits::$kind<CURRENT_VERSION>),+>(&self, $(_: $argument),+) -> Result<$result, Error> {
            $answer
        })+
    };
}

impl<U: Unread> StorageProvider<CURRENT_VERSION> for Storage<U> {
    type Error = Error;

    fn write_message_secrets<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        MessageSecrets: traits::MessageSecrets<CURRENT_VERSION>,
    >(
        &self,
        _: &GroupId,
        secrets: &MessageSecrets,
    ) -> Result<(), Self::Error> {
        self.unread.write(secrets)
    }

    fn write_group_epoch_secrets<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        GroupEpochSecrets: traits::GroupEpochSecrets<CURRENT_VERSION>,
    >(
        &self,
        _: &GroupId,
        secrets: &GroupEpochSecrets,
    ) -> Result<(), Self::Error> {
        self.unread.write(secrets)
    }

    fn write_encryption_key_pair<
        EncryptionKey: traits::EncryptionKey<CURRENT_VERSION>,
        HpkeKeyPair: traits::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        public_key: &EncryptionKey,
        key_pair: &HpkeKeyPair,
    ) -> Result<(), Self::Error> {
        self.write(Kind::Encryption, public_key, key_pair)
    }

    fn write_encryption_epoch_key_pairs<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        EpochKey: traits::EpochKey<CURRENT_VERSION>,
        HpkeKeyPair: traits::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        epoch: &EpochKey,
        leaf_index: u32,
        key_pairs: &[HpkeKeyPair],
    ) -> Result<(), Self::Error> {
        self.write(Kind::Epoch, &(group_id, epoch, leaf_index), &key_pairs)
    }

    fn write_key_package<
        HashReference: traits::HashReference<CURRENT_VERSION>,
        KeyPackage: traits::KeyPackage<CURRENT_VERSION>,
    >(
        &self,
        hash_ref: &HashReference,
        key_package: &KeyPackage,
    ) -> Result<(), Self::Error> {
        self.write(Kind::KeyPackage, hash_ref, key_package)
    }

    fn encryption_key_pair<
        HpkeKeyPair: traits::HpkeKeyPair<CURRENT_VERSION>,
        EncryptionKey: traits::EncryptionKey<CURRENT_VERSION>,
    >(
        &self,
        public_key: &EncryptionKey,
    ) -> Result<Option<HpkeKeyPair>, Self::Error> {
        self.read(Kind::Encryption, public_key)
    }

    fn encryption_epoch_key_pairs<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        EpochKey: traits::EpochKey<CURRENT_VERSION>,
        HpkeKeyPair: traits::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        epoch: &EpochKey,
        leaf_index: u32,
    ) -> Result<Vec<HpkeKeyPair>, Self::Error> {
        Ok(self.read(Kind::Epoch, &(group_id, epoch, leaf_index))?.unwrap_or_default())
    }

    fn key_package<
        KeyPackageRef: traits::HashReference<CURRENT_VERSION>,
        KeyPackage: traits::KeyPackage<CURRENT_VERSION>,
    >(
        &self,
        hash_ref: &KeyPackageRef,
    ) -> Result<Option<KeyPackage>, Self::Error> {
        self.read(Kind::KeyPackage, hash_ref)
    }

    fn delete_encryption_key_pair<EncryptionKey: traits::EncryptionKey<CURRENT_VERSION>>(
        &self,
        public_key: &EncryptionKey,
    ) -> Result<(), Self::Error> {
        self.delete(Kind::Encryption, public_key)
    }

    fn delete_encryption_epoch_key_pairs<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        EpochKey: traits::EpochKey<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        epoch: &EpochKey,
        leaf_index: u32,
    ) -> Result<(), Self::Error> {
        self.delete(Kind::Epoch, &(group_id, epoch, leaf_index))
    }

    fn delete_key_package<KeyPackageRef: traits::HashReference<CURRENT_VERSION>>(
        &self,
        hash_ref: &KeyPackageRef,
    ) -> Result<(), Self::Error> {
        self.delete(Kind::KeyPackage, hash_ref)
    }

    // Values that are not stored: writing does nothing.
    answer! {
        Ok(());
        write_mls_join_config<GroupId, MlsGroupJoinConfig>(&GroupId, &MlsGroupJoinConfig) -> ();
        append_own_leaf_node<GroupId, LeafNode>(&GroupId, &LeafNode) -> ();
        queue_proposal<GroupId, ProposalRef, QueuedProposal>(&GroupId, &ProposalRef, &QueuedProposal) -> ();
        write_tree<GroupId, TreeSync>(&GroupId, &TreeSync) -> ();
        write_interim_transcript_hash<GroupId, InterimTranscriptHash>(&GroupId, &InterimTranscriptHash) -> ();
        write_context<GroupId, GroupContext>(&GroupId, &GroupContext) -> ();
        write_confirmation_tag<GroupId, ConfirmationTag>(&GroupId, &ConfirmationTag) -> ();
        write_group_state<GroupState, GroupId>(&GroupId, &GroupState) -> ();
        write_resumption_psk_store<GroupId, ResumptionPskStore>(&GroupId, &ResumptionPskStore) -> ();
        write_own_leaf_index<GroupId, LeafNodeIndex>(&GroupId, &LeafNodeIndex) -> ();
        write_application_export_tree<GroupId, ApplicationExportTree>(&GroupId, &ApplicationExportTree) -> ();
    }

    // Values that are not stored: reading returns nothing.
    answer! {
        Ok(None);
        mls_group_join_config<GroupId, MlsGroupJoinConfig>(&GroupId) -> Option<MlsGroupJoinConfig>;
        tree<GroupId, TreeSync>(&GroupId) -> Option<TreeSync>;
        group_context<GroupId, GroupContext>(&GroupId) -> Option<GroupContext>;
        interim_transcript_hash<GroupId, InterimTranscriptHash>(&GroupId) -> Option<InterimTranscriptHash>;
        confirmation_tag<GroupId, ConfirmationTag>(&GroupId) -> Option<ConfirmationTag>;
        group_state<GroupState, GroupId>(&GroupId) -> Option<GroupState>;
        message_secrets<GroupId, MessageSecrets>(&GroupId) -> Option<MessageSecrets>;
        resumption_psk_store<GroupId, ResumptionPskStore>(&GroupId) -> Option<ResumptionPskStore>;
        own_leaf_index<GroupId, LeafNodeIndex>(&GroupId) -> Option<LeafNodeIndex>;
        group_epoch_secrets<GroupId, GroupEpochSecrets>(&GroupId) -> Option<GroupEpochSecrets>;
        signature_key_pair<SignaturePublicKey, SignatureKeyPair>(&SignaturePublicKey) -> Option<SignatureKeyPair>;
        psk<PskBundle, PskId>(&PskId) -> Option<PskBundle>;
        application_export_tree<GroupId, ApplicationExportTree>(&GroupId) -> Option<ApplicationExportTree>;
    }

    answer! {
        Ok(Vec::new());
        own_leaf_nodes<GroupId, LeafNode>(&GroupId) -> Vec<LeafNode>;
        queued_proposal_refs<GroupId, ProposalRef>(&GroupId) -> Vec<ProposalRef>;
        queued_proposals<GroupId, ProposalRef, QueuedProposal>(&GroupId) -> Vec<(ProposalRef, QueuedProposal)>;
    }

    // Values that are not stored: deleting does nothing.
    answer! {
        Ok(());
        remove_proposal<GroupId, ProposalRef>(&GroupId, &ProposalRef) -> ();
        delete_own_leaf_nodes<GroupId>(&GroupId) -> ();
        delete_group_config<GroupId>(&GroupId) -> ();
        delete_tree<GroupId>(&GroupId) -> ();
        delete_confirmation_tag<GroupId>(&GroupId) -> ();
        delete_group_state<GroupId>(&GroupId) -> ();
        delete_context<GroupId>(&GroupId) -> ();
        delete_interim_transcript_hash<GroupId>(&GroupId) -> ();
        delete_message_secrets<GroupId>(&GroupId) -> ();
        delete_all_resumption_psk_secrets<GroupId>(&GroupId) -> ();
        delete_own_leaf_index<GroupId>(&GroupId) -> ();
        delete_group_epoch_secrets<GroupId>(&GroupId) -> ();
        clear_proposal_queue<GroupId, ProposalRef>(&GroupId) -> ();
        delete_signature_key_pair<SignaturePublicKey>(&SignaturePublicKey) -> ();
        delete_psk<PskId>(&PskId) -> ();
        delete_application_export_tree<GroupId, ApplicationExportTree>(&GroupId) -> ();
    }

    // This client does not store these in openmls.
    answer! {
        Err(Error::Unsupported);
        write_signature_key_pair<SignaturePublicKey, SignatureKeyPair>(&SignaturePublicKey, &SignatureKeyPair) -> ();
        write_psk<PskId, PskBundle>(&PskId, &PskBundle) -> ();
    }
}
