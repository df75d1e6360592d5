import { partitionName, type TopicPartition } from '../../../runtime/ports/log.js';

/**
 * What members of a group tell each other beside the plan, as JSON in the user data of the group's protocol: each says where it can be
 * asked (`endpoint`), and whoever plans tells all of them which partitions are asked for where. So every member knows, without another
 * request, since the round that it last took part in. Data of releases or programs that say nothing of the kind is taken as saying nothing.
 */
export interface MemberData {
  /** Another one makes the coordinator rebalance. */
  readonly fingerprint: string;
  /** URL; `null`: it cannot be asked. */
  readonly endpoint: string | null;
}

export const encodeMemberData = ({ fingerprint, endpoint }: MemberData): string =>
  endpoint === null ? fingerprint : JSON.stringify({ fingerprint, endpoint });

/** The endpoint in a member's data; `null`: there is none. */
export function endpointIn(data: Uint8Array | null | undefined): string | null {
  const said = parsed(data) as { readonly endpoint?: unknown } | null;
  return typeof said?.endpoint === 'string' ? said.endpoint : null;
}

/** By endpoint, names of the partitions that are asked for there. */
export function encodeOwners(
  shares: ReadonlyMap<string, readonly TopicPartition[]>,
  endpoints: ReadonlyMap<string, string | null>,
): string | null {
  const owners = new Map<string, string[]>();
  for (const [member, share] of shares) {
    const endpoint = endpoints.get(member) ?? null;
    if (endpoint === null || share.length === 0) continue;
    owners.set(endpoint, [...(owners.get(endpoint) ?? []), ...share.map(partitionName)]);
  }
  return owners.size === 0 ? null : JSON.stringify({ owners: Object.fromEntries(owners) });
}

/** By name of the partition, the endpoint of its owner. */
export function ownersIn(data: Uint8Array | null | undefined): ReadonlyMap<string, string> {
  const said = parsed(data) as { readonly owners?: unknown } | null;
  const owners = typeof said?.owners === 'object' && said.owners !== null ? Object.entries(said.owners) : [];
  return new Map(
    owners.flatMap(([endpoint, names]) =>
      Array.isArray(names) ? names.map((name) => [String(name), endpoint] as const) : [],
    ),
  );
}

function parsed(data: Uint8Array | null | undefined): unknown {
  if (data === null || data === undefined || data[0] !== '{'.charCodeAt(0)) return null;
  try {
    return JSON.parse(new TextDecoder().decode(data));
  } catch {
    return null;
  }
}
