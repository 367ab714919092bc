// Makes NAME.ids.gz and NAME.text.gz of the tokenizer.json files here: what Hugging Face's own libraries make of each eighth text and each odd line.
//
//     npm install @anush008/tokenizers@0.6.0 @huggingface/tokenizers@0.2.0
//     node golden.js MODELS
//
// The first is Hugging Face's Rust library; it is older than "ignore_merges", so that llama3.json goes through the second, their JavaScript one.
const fs = require("fs");
const path = require("path");
const zlib = require("zlib");
const { Tokenizer } = require("@anush008/tokenizers");

const here = __dirname;
const models = process.argv[2];
const lines = JSON.parse(fs.readFileSync(path.join(here, "lines.json"), "utf8"));
const some = [...lines.texts.filter((_, i) => i % 8 === 0), ...lines.odd];

async function rust(file) {
    const tokenizer = Tokenizer.fromFile(file);
    return {
        encode: async line => line === "" ? [] : (await tokenizer.encode(line, null, { addSpecialTokens: false })).getIds(),
        decode: ids => tokenizer.decode(ids, true),
    };
}

async function javaScript(file) {
    const library = require("@huggingface/tokenizers");
    const tokenizer = new library.Tokenizer(JSON.parse(fs.readFileSync(file, "utf8")), {});
    return {
        encode: async line => tokenizer.encode(line, { add_special_tokens: false }).ids,
        decode: async ids => ids.length === 0 ? "" : tokenizer.decode(ids, { skip_special_tokens: true, clean_up_tokenization_spaces: false }),
    };
}

const write = (name, text) => fs.writeFileSync(path.join(here, name), zlib.gzipSync(text, { level: 9 }));

(async () => {
    for (const name of ["gpt2", "qwen2", "digits", "splits", "metaspace", "llama3", "stories260K"]) {
        const isStories = name === "stories260K";
        const file = isStories ? path.join(models, "stories260K/tokenizer.json") : path.join(here, `${name}.json`);
        const tokenizer = await (name === "llama3" ? javaScript : rust)(file);
        const ids = [];
        for (const line of some) {
            ids.push(await tokenizer.encode(line));
        }

        const odd = ids.slice(-lines.odd.length);
        const texts = [];
        for (const line of odd) {
            texts.push(await tokenizer.decode(line));
        }

        const out = isStories ? "stories260K-json" : name;
        write(`${out}.ids.gz`, ids.map(line => line.join(" ") + "\n").join(""));
        write(`${out}.text.gz`, JSON.stringify(texts));
    }
})();
