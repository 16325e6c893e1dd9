import { fault, type MillraceError } from '../error/millrace-error.js'
import type { Log } from '../observe/log.js'

/** How a runtime ends, once. */
export class End {
  readonly promise: Promise<void>
  #settle: { readonly resolve: () => void; readonly reject: (error: MillraceError) => void } | undefined

  constructor(log: Log) {
    this.promise = new Promise((resolve, reject) => (this.#settle = { resolve, reject }))
    this.promise.catch((error: unknown) => log.debug({ error }, 'runtime ended'))
  }

  resolve(): void {
    this.#settle?.resolve()
  }

  reject(error: MillraceError): void {
    this.#settle?.reject(error)
  }

  /** Nothing runs any more. @param last what stopped the last one */
  failAll(last: MillraceError): void {
    this.reject(fault('RUNTIME_FAILED', last.message, { cause: last }))
  }
}
