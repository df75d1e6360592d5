import type { SqlPlace } from './sql-error.js';

/** Where a URL leads, without its password. */
export function placeOf(url: string, product: string, defaults: { readonly port: number }): SqlPlace {
  const { hostname, port, username, pathname } = new URL(url);
  const user = decodeURIComponent(username);
  const database = decodeURIComponent(pathname.slice(1));
  return {
    product,
    address: `${hostname || 'localhost'}:${port || defaults.port}`,
    user,
    database: database || user,
  };
}
