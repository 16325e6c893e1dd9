import type { Connection } from '../broker/connection.js'
import { replaceEnvelopes, visitEnvelopes } from '../event/envelope-in-data.js'
import { subjectOfKey, type PersonalKey } from './personal-key.js'
import { PersonalKeys } from './personal-keys.js'

/** Puts something in the place of the personal values that are sealed in what was read. It is not changed. */
export interface PersonalReader {
  read<T>(value: T): Promise<T>
}

/** Reads them, null where they are erased. */
export class OpenPersonal implements PersonalReader {
  readonly #keys: PersonalKeys

  constructor(keys: PersonalKeys) {
    this.#keys = keys
  }

  async read<T>(value: T): Promise<T> {
    const subjects = new Set<string>()
    visitEnvelopes(value, ({ k }) => subjects.add(subjectOfKey(k)))
    if (subjects.size === 0) return value
    const keys = new Map<string, PersonalKey | undefined>()
    await Promise.all([...subjects].map(async (subject) => keys.set(subject, await this.#keys.get(subject))))
    return replaceEnvelopes(value, (envelope) => {
      const key = keys.get(subjectOfKey(envelope.k))
      return key?.id === envelope.k ? key.open(envelope) : null // another key: that of this value is erased
    }) as T
  }
}

/** Reads none of them: each is null, as if it were erased. */
export const withheldPersonal: PersonalReader = {
  read: <T>(value: T) => Promise.resolve(replaceEnvelopes(value, () => null) as T),
}

/**
 * Personal values in the clear, for who may see them: of an event, of several, or of anything of JSON that holds sealed
 * values. Those that are erased are null. Keys are read now, each once, so that an erasure before the call counts.
 *
 * @example
 * for await (const record of store.subscribe({ from: 'now' }))
 *   for (const { data } of await readPersonal(connection, record.events)) await mail(data.email)
 * @throws PERSONAL_VALUE_BROKEN, PERSONAL_KEY_INVALID; errors of the broker
 */
export function readPersonal<T>(connection: Connection, value: T): Promise<T> {
  return new OpenPersonal(new PersonalKeys(connection)).read(value)
}
