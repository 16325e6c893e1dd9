import { defineEvent } from 'millrace'
import { z } from 'zod'

const key = ({ account }: { account: string }): string => account
const ofAccount = z.object({ account: z.string(), n: z.int() })

/** The n-th amount of an account, or a part of it. */
export const Added = defineEvent('ledger.added', { data: ofAccount.extend({ part: z.int(), amount: z.int() }), key })
/** The timer that was set with the n-th amount has come. */
export const Reminded = defineEvent('ledger.reminded', { data: ofAccount, key })
/** The step that was begun with the n-th amount is done. */
export const Audited = defineEvent('ledger.audited', { data: ofAccount.extend({ by: z.string() }), key })
