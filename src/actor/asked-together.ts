/**
 * Questions that many ask at once. An answer counts for whoever has asked before it was asked for: who comes while one is
 * on its way shares the next one with all others who do.
 */
export class AskedTogether<Answer> {
  readonly #ask: (key: string) => Promise<Answer>
  readonly #current = new Map<string, Promise<Answer>>()
  readonly #next = new Map<string, Promise<Answer>>()

  constructor(ask: (key: string) => Promise<Answer>) {
    this.#ask = ask
  }

  /** @throws what asking throws */
  ask(key: string): Promise<Answer> {
    const current = this.#current.get(key)
    if (current === undefined) return this.#begin(key)
    let next = this.#next.get(key)
    if (next === undefined) {
      const begin = (): Promise<Answer> => {
        this.#next.delete(key)
        return this.#begin(key)
      }
      this.#next.set(key, (next = current.then(begin, begin)))
    }
    return next
  }

  #begin(key: string): Promise<Answer> {
    const answer = this.#ask(key)
    this.#current.set(key, answer)
    const end = (): void => {
      if (this.#current.get(key) === answer) this.#current.delete(key)
    }
    answer.then(end, end) // whoever asked hears why it failed
    return answer
  }
}
