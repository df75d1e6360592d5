import { addressFunctions } from './functions/addresses.js';
import type { EngineFunction } from './functions/function.js';
import { timeFunctions } from './functions/local-times.js';
import { numberFunctions } from './functions/numbers.js';
import { placeFunctions } from './functions/places.js';
import { textFunctions } from './functions/texts.js';

export {
  type ArgumentProblem,
  type EngineFunction,
  fewest,
  most,
  type ParamType,
  paramOf,
} from './functions/function.js';

const definitions = [...textFunctions, ...numberFunctions, ...timeFunctions, ...placeFunctions, ...addressFunctions];

/** The functions that conditions may call, by name. */
export const FUNCTIONS: ReadonlyMap<string, EngineFunction> = new Map(definitions.map((f) => [f.name, f]));
