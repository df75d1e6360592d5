/**
 * The name as the very string that objects have it by. Code that reads a field whose name is in a variable is optimized for one string, and knows it
 * by its identity: with an equal one that was read from a file it is thrown away and made again at each other event, for as long as it runs. So
 * whatever reads fields by names of rules or settings, event by event, has the names go through here first.
 */
export const fieldName = (name: string): string => Object.keys({ [name]: 0 })[0]!;

/** `null`: none was given. */
export const fieldNameIf = (name: string | undefined): string | null => (name === undefined ? null : fieldName(name));
