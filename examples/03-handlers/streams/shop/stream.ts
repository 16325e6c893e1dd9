import { defineStream } from 'millrace'

export default defineStream({ name: 'SHOP', root: 'shop', partitions: 4 })
