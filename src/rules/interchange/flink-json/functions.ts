/**
 * Functions that mean the same in AVIATOR (5.4) and in conditions. `math.round` rounds halves up there; `math.sqrt`, `math.log` and the like can
 * give what is no number, which is greater than anything there and missing here; `min` and `max` of nil are nil.
 */
export const AVIATOR_FUNCTIONS: readonly { readonly aviator: string; readonly cel: string }[] = [
  { aviator: 'string.contains', cel: 'contains' },
  { aviator: 'string.startsWith', cel: 'startsWith' },
  { aviator: 'string.endsWith', cel: 'endsWith' },
  { aviator: 'string.length', cel: 'size' },
  { aviator: 'string.substring', cel: 'substring' },
  { aviator: 'math.abs', cel: 'abs' },
  { aviator: 'math.floor', cel: 'floor' },
  { aviator: 'math.ceil', cel: 'ceil' },
];
