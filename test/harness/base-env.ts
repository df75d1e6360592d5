/**
 * What a process of ours inherits: where programs are, nothing that could set something, and the folder of compiled code that
 * `global-setup.mjs` names.
 */
export const BASE_ENV: Readonly<Record<string, string | undefined>> = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
};
