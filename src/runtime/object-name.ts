import { ObjectStoreError } from './ports/object-store.js';

/** Whether names can begin so. */
export function mayBegin(prefix: string): boolean {
  return isObjectName(`${prefix}x`);
}

/** Whether it is made of the characters that a name may have, in parts between slashes, none of them empty, `.` or `..`. */
function isObjectName(name: string): boolean {
  return /^[A-Za-z0-9._\-/=]{1,900}$/.test(name) && name.split('/').every((part) => !/^\.{0,2}$/.test(part));
}

/** @throws ObjectStoreError `OBJECTS_IO` where it cannot name an object. */
export function assertObjectName(name: string): void {
  if (isObjectName(name)) return;
  throw new ObjectStoreError(
    'OBJECTS_IO',
    `"${name}" cannot name an object: use letters, digits and . _ - =, in parts between slashes`,
  );
}
