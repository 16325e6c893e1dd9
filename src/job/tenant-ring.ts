/** What waits, and what it is expected to take. */
export interface Waiting<Item> {
  readonly tenant: string
  readonly item: Item
  /** Estimated tokens, from 1. */
  readonly cost: number
}

/** What waits in one lane: in order for each tenant, and one of each tenant after the other. */
export class TenantRing<Item> {
  readonly #queues = new Map<string, Waiting<Item>[]>()
  #size = 0

  get size(): number {
    return this.#size
  }

  add(waiting: Waiting<Item>): void {
    const queue = this.#queues.get(waiting.tenant)
    if (queue === undefined) this.#queues.set(waiting.tenant, [waiting])
    else queue.push(waiting)
    this.#size += 1
  }

  /** Whose turn it is; undefined: nothing waits. */
  first(): Waiting<Item> | undefined {
    for (const [head] of this.#queues.values()) return head
    return undefined
  }

  /** Takes it; its tenant is the last in the round then. */
  take(): Waiting<Item> | undefined {
    for (const [tenant, queue] of this.#queues) {
      const head = queue.shift()
      this.#queues.delete(tenant)
      if (queue.length > 0) this.#queues.set(tenant, queue)
      this.#size -= 1
      return head
    }
    return undefined
  }
}
