import { parseAllDocuments } from 'yaml';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly [field: string]: unknown;
}

/** Kinds that Kubernetes does not have by itself. */
export const FOREIGN = ['PrometheusRule', 'ScaledObject', 'ServiceMonitor'];

/** All documents of a stream of YAML. Throws for one that does not parse. */
export const manifestsOf = (text: string): readonly Manifest[] =>
  parseAllDocuments(text)
    .map((document) => {
      if (document.errors.length > 0) throw document.errors[0];
      return document.toJS() as Manifest | null;
    })
    .filter((manifest) => manifest !== null);

/** As it is but for what differs between tools and not in meaning: labels, selectors by them, hashes in names and annotations. */
export function essence(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(essence);
  if (typeof value === 'string') return value.replace(/^stakeout-config-[a-z0-9]{10}$/, 'stakeout-config');
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => !LEFT_OUT.includes(name));
  return Object.fromEntries(kept.map(([name, of]) => [name, essence(of)]).toSorted(([a], [b]) => (a! < b! ? -1 : 1)));
}

const LEFT_OUT = [
  'labels',
  'selector',
  'matchLabels',
  'checksum/config',
  // Added by Kustomize to a claim's template.
  'creationTimestamp',
];
