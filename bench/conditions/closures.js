/** Throws for what looks at more than the event. The meaning is that of the engine: whatever is compared with a missing value is false. */
export function closureOf(expr) {
    switch (expr.op) {
        case 'const':
            return () => expr.value;
        case 'field':
            return (event) => event.fields[expr.name];
        case 'meta':
            return expr.name === 'time' ? (event) => event.time : (event) => event.kind;
        case 'compare':
            return comparison(expr.cmp, closureOf(expr.left), closureOf(expr.right));
        case 'in':
            return membership(closureOf(expr.left), expr.values);
        case 'and':
        case 'or':
            return junction(expr.op, expr.args.map(closureOf));
        case 'not': {
            const arg = closureOf(expr.arg);
            return (event) => arg(event) !== true;
        }
        case 'arith':
            return arithmetic(expr.fn, closureOf(expr.left), closureOf(expr.right));
        case 'present': {
            const arg = closureOf(expr.arg);
            return (event) => isPresent(arg(event));
        }
        case 'if': {
            const [test, whenTrue, whenFalse] = [closureOf(expr.test), closureOf(expr.whenTrue), closureOf(expr.whenFalse)];
            return (event) => (test(event) === true ? whenTrue(event) : whenFalse(event));
        }
        default:
            throw new Error(`${expr.op} looks at more than the event`);
    }
}
const isPresent = (value) => value !== undefined && value !== null && !Number.isNaN(value);
const alike = (a, b) => typeof a === typeof b && (typeof a === 'number' || typeof a === 'string');
function comparison(cmp, left, right) {
    switch (cmp) {
        case '==':
            return (event) => {
                const value = left(event);
                return isPresent(value) && value === right(event);
            };
        case '!=':
            return (event) => {
                const [a, b] = [left(event), right(event)];
                return isPresent(a) && isPresent(b) && a !== b;
            };
        case '<':
            return ordered(left, right, (a, b) => a < b);
        case '<=':
            return ordered(left, right, (a, b) => a <= b);
        case '>':
            return ordered(left, right, (a, b) => a > b);
        case '>=':
            return ordered(left, right, (a, b) => a >= b);
    }
}
function ordered(left, right, holds) {
    return (event) => {
        const a = left(event);
        const b = right(event);
        return alike(a, b) && holds(a, b);
    };
}
function membership(left, values) {
    const known = new Set(values);
    return (event) => known.has(left(event));
}
function junction(op, args) {
    const [first, second] = args;
    if (args.length === 2 && first !== undefined && second !== undefined) {
        return op === 'and'
            ? (event) => first(event) === true && second(event) === true
            : (event) => first(event) === true || second(event) === true;
    }
    return op === 'and'
        ? (event) => args.every((arg) => arg(event) === true)
        : (event) => args.some((arg) => arg(event) === true);
}
const numberOf = (value) => (typeof value === 'number' ? value : Number.NaN);
function arithmetic(fn, left, right) {
    switch (fn) {
        case '+':
            return (event) => numberOf(left(event)) + numberOf(right(event));
        case '-':
            return (event) => numberOf(left(event)) - numberOf(right(event));
        case '*':
            return (event) => numberOf(left(event)) * numberOf(right(event));
        case '/':
            return (event) => numberOf(left(event)) / numberOf(right(event));
        case '%':
            return (event) => numberOf(left(event)) % numberOf(right(event));
    }
}
