import { join } from 'node:path';
import { DirectoryObjectStore } from '../../../connectors/file/directory-object-store.js';
import { TopicObjectStore } from '../../../connectors/log-objects/topic-object-store.js';
import type { Log } from '../../../runtime/ports/log.js';
import { type ObjectStore, ObjectStoreError } from '../../../runtime/ports/object-store.js';
import type { Settings } from '../../../runtime/settings/index.js';

/**
 * Where the settings keep copies of the state; `null`: nowhere.
 *
 * @param log where a topic for them would be; it stays the caller's to close.
 * @throws ObjectStoreError The folder or topic cannot be used. A bucket is looked at when it is first needed.
 */
export async function openObjectStore(
  settings: Pick<Settings, 'checkpoint' | 'data'>,
  log: Log,
): Promise<ObjectStore | null> {
  const { to, directory, topic, s3 } = settings.checkpoint;
  switch (to) {
    case 'none':
      return null;
    case 'directory':
      return DirectoryObjectStore.open({ directory: directory ?? join(settings.data.directory, 'checkpoints') });
    case 'kafka':
      return TopicObjectStore.open({ log, topic });
    case 's3': {
      if (s3.bucket === undefined) throw new ObjectStoreError('OBJECTS_IO', 'checkpoint.s3.bucket is not set');
      // The client is large: it is loaded only where it is used.
      const { S3ObjectStore } = await import('../../../connectors/s3/s3-object-store.js');
      return new S3ObjectStore({ ...s3, bucket: s3.bucket });
    }
  }
}
