import { fault } from '../error/millrace-error.js'

/** By version: brings data of that version to the next one. */
export type Upcasters = Readonly<Record<number, (data: unknown) => unknown>>

/** A declared sequence of upcasters that ends at the current version. */
export interface UpcastChain {
  /** The oldest version that can still be read. */
  readonly oldest: number
  /** Brings data from `version` to the current one. Throws whatever an upcaster throws, as an UpcastError. */
  upcast(data: unknown, version: number): unknown
}

/** Says which step of a chain threw. Internal: contracts turn it into EVENT_UPCAST_FAILED. */
export class UpcastError extends Error {
  readonly from: number

  constructor(from: number, cause: unknown) {
    super(`the upcaster from version ${from} threw`, { cause })
    this.from = from
  }
}

/**
 * @param upcasters may start at any version, must not skip one, and must end at the version before `current`; an empty
 * record says on purpose that no older version is read
 * @throws CONTRACT_INVALID when they do not
 */
export function upcastChain(type: string, current: number, upcasters: Upcasters | undefined): UpcastChain {
  if (!Number.isSafeInteger(current) || current < 1)
    throw fault('CONTRACT_INVALID', `${type}: version ${current} is not a whole number from 1`)
  if (upcasters === undefined && current > 1)
    throw fault(
      'CONTRACT_INVALID',
      `${type}: version ${current} needs upcasters from version 1; (data) => data where an older one is still valid, {} when none is stored`,
    )
  const versions = Object.keys(upcasters ?? {}).map(Number)
  const oldest = versions.length === 0 ? current : Math.min(...versions)
  for (let version = oldest; version < current; version++)
    if (typeof upcasters?.[version] !== 'function')
      throw fault('CONTRACT_INVALID', `${type}: the upcaster from version ${version} is missing`)
  const stray = versions.find((version) => !Number.isSafeInteger(version) || version < 1 || version >= current)
  if (stray !== undefined)
    throw fault('CONTRACT_INVALID', `${type}: an upcaster from version ${stray}, but the current version is ${current}`)

  return {
    oldest,
    upcast(data, version) {
      let upcasted = data
      for (let from = version; from < current; from++) {
        try {
          upcasted = upcasters?.[from]?.(upcasted)
        } catch (cause) {
          throw new UpcastError(from, cause)
        }
      }
      return upcasted
    },
  }
}
