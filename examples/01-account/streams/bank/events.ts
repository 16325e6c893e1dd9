import { defineEvent } from 'millrace'
import { z } from 'zod'

const entry = z.object({ accountId: z.string().min(1), amount: z.number().int().positive() })
const key = (data: { accountId: string }): string => data.accountId

export const Deposited = defineEvent('account.deposited', { data: entry, key })
export const Withdrawn = defineEvent('account.withdrawn', { data: entry, key })
