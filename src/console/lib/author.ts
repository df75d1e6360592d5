import * as api from '../api/calls.js';
import type { Me } from '../api/types.js';
import { type Resource, useResource } from './hooks.js';
import { Remembered } from './store.js';

/** The name that changes are kept under where nobody has to sign in. */
export const author = new Remembered('author', '');

export function useMe(): Resource<Me> {
  return useResource((signal) => api.me(signal), []);
}
