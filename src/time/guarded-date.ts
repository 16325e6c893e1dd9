/**
 * A `Date` that calls `check` before it asks the clock: in `Date.now()`, `Date()` and `new Date()`. For all else it is
 * `Original`: dates of both are instances of both, classes may extend it, `Date.parse` and `Date.UTC` are the same.
 * `Original` itself is left alone, but for `constructor` of its prototype.
 * @param check throws when the clock may not be asked; told the call
 */
export function guardedDate(Original: DateConstructor, check: (call: string) => void): DateConstructor {
  const { now } = Original
  function GuardedDate(...args: unknown[]): Date | string {
    const target: unknown = new.target
    if (target === undefined) {
      check('Date()')
      return Original()
    }
    if (args.length === 0) check('new Date()')
    if (target !== GuardedDate || args.length > 1)
      return Reflect.construct(Original, args, target === GuardedDate ? Original : (target as DateConstructor)) as Date
    return args.length === 0 ? new Original() : new Original(args[0] as number)
  }
  const statics = {
    now(): number {
      check('Date.now()')
      return now()
    },
  }
  const hidden = { configurable: true, enumerable: false, writable: true }
  const own = Object.getOwnPropertyDescriptors(Original)
  Object.defineProperties(GuardedDate, { ...own, now: { ...hidden, value: statics.now } })
  Object.defineProperty(Original.prototype, 'constructor', { ...hidden, value: GuardedDate })
  return GuardedDate as unknown as DateConstructor
}
