import type { StoredEvent } from '../../src/event/event.ts'

/** A stored event of which a test names only what matters to it. */
export function storedEvent(fields: Partial<StoredEvent> & { readonly type: string }): StoredEvent {
  const { time = 0, id = `${fields.type}-${time}` } = fields
  return {
    id,
    source: '/test',
    version: 1,
    time,
    key: undefined,
    data: {},
    correlationId: undefined,
    causationId: undefined,
    attributes: {},
    stream: 'TEST',
    sequence: 1,
    storedAt: time,
    ...fields,
  }
}
