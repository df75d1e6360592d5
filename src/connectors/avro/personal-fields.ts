/** Names of the fields that an Avro schema tags with `"pii": true`, at any depth. */
export function personalFields(schema: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(visit);
    if (typeof node !== 'object' || node === null) return;
    const { name, pii } = node as { name?: unknown; pii?: unknown };
    if (pii === true && typeof name === 'string') names.add(name);
    Object.values(node).forEach(visit);
  };
  visit(schema);
  return names;
}
