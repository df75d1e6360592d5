import { DirectoryObjectStore } from '../../../src/connectors/file/directory-object-store.js';

/** Puts objects `0/0`, `1/1` … of 3 MB each until it is killed or one fails. Prints each name once it is there; `failed CODE MESSAGE`. */
const [directory = ''] = process.argv.slice(2);
const store = await DirectoryObjectStore.open({ directory });
for (let i = 0; ; i++) {
  const name = `${i}/${i}`;
  try {
    await store.put(name, Buffer.alloc(3_000_000, name));
  } catch (error) {
    process.stdout.write(`failed ${(error as { code: string }).code} ${(error as Error).message}\n`);
    break;
  }
  process.stdout.write(`${name}\n`);
}
