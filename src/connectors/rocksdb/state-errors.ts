import { StateStoreError } from '../../runtime/ports/state-store.js';

/**
 * RocksDB's binding gives the code `EIO` to every failure, so its message decides. Each message says what to do.
 *
 * @param directory the state folder, for the message.
 * @param owner process id of who has the folder, where known.
 */
export function stateError(error: unknown, directory: string, owner?: number): StateStoreError {
  if (error instanceof StateStoreError) {
    return error;
  }
  const details = messagesOf(error);
  if (/lock hold by current process|While lock file|\/LOCK:/i.test(details)) {
    const who = owner === undefined ? 'another process' : `process ${owner}`;
    return new StateStoreError(
      'STATE_LOCKED',
      `the state folder ${directory} is in use by ${who}. Stop it, or name another folder.`,
      { cause: error },
    );
  }
  if (/No space left|ENOSPC|Disk quota|EDQUOT|File too large|EFBIG|space limit reached/i.test(details)) {
    return new StateStoreError(
      'STATE_DISK_FULL',
      `the state folder ${directory} cannot grow: ${details}. Free space on its disk: storing then goes on by itself; nothing that was stored is lost.`,
      { cause: error },
    );
  }
  if (/corrupt|checksum|CURRENT file|MANIFEST|bad table magic|truncated|IDENTITY|does not exist/i.test(details)) {
    return new StateStoreError(
      'STATE_CORRUPT',
      `the state folder ${directory} is damaged: ${details}. Delete the folder and start again: the state is then taken from the ` +
        'last checkpoint, or built again from the log.',
      { cause: error },
    );
  }
  return new StateStoreError('STATE_IO', `the state folder ${directory} failed: ${details}`, { cause: error });
}

function messagesOf(error: unknown): string {
  const messages: string[] = [];
  // Not by `instanceof`, which fails for errors of another realm (workers, test runners).
  for (let e = error; typeof e === 'object' && e !== null && 'message' in e; e = 'cause' in e ? e.cause : undefined) {
    messages.push(String(e.message));
  }
  return messages.length === 0 ? String(error) : messages.join(': ');
}
