// What the test kit uses of fast-check. The library is passed in, so that whoever doesn't test with it need not have it.

/** An arbitrary of fast-check. */
export interface Arbitrary<T> {
  map<U>(mapper: (value: T) => U): Arbitrary<U>
  filter(predicate: (value: T) => boolean): Arbitrary<T>
}

/** What a run of fast-check found. */
export interface CheckDetails {
  readonly failed: boolean
  readonly counterexample: readonly unknown[] | null
  readonly counterexamplePath: string | null
  readonly numRuns: number
  readonly numShrinks: number
  readonly seed: number
}

/** fast-check itself: `import * as fc from 'fast-check'`. */
export interface FastCheck {
  constant<const T>(value: T): Arbitrary<T>
  // oxlint-disable-next-line typescript/no-explicit-any -- the overloads of fast-check have no shorter form
  constantFrom(...values: any[]): any
  boolean(): Arbitrary<boolean>
  uuid(): Arbitrary<string>
  emailAddress(): Arbitrary<string>
  integer(constraints: { min: number; max: number }): Arbitrary<number>
  double(constraints: { min: number; max: number; noNaN: boolean }): Arbitrary<number>
  string(constraints: { minLength: number; maxLength: number }): Arbitrary<string>
  stringMatching(pattern: RegExp): Arbitrary<string>
  // oxlint-disable-next-line typescript/no-explicit-any -- the overloads of fast-check have no shorter form
  array(arbitrary: any, constraints: { minLength?: number; maxLength?: number }): any
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  dictionary(keys: any, values: any, constraints: { maxKeys: number }): any
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  oneof(...arbitraries: any[]): any
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  tuple(...arbitraries: any[]): any
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  record(members: any, constraints: any): any
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  sample(arbitrary: any, parameters: any): any[]
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  property(arbitrary: any, predicate: any): any
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  check(property: any, parameters: any): any
}
