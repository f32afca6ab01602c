"""Gemini: https://ai.google.dev/api/generate-content"""

from rich import CITY, PDF, PIXEL, TOKEN, WAV

PATH = "/v1beta/models/{model}:generateContent"
HELLO = [{"role": "user", "parts": [{"text": "Hello"}]}]
DECLARATIONS = [
    {
        "name": "weather",
        "description": "Tells it",
        "parameters": {
            "type": "OBJECT",
            "properties": {
                "city": {"type": "STRING", "description": "Its name"},
                "days": {"type": "INTEGER", "nullable": True, "minimum": 1},
                "units": {"type": "STRING", "enum": ["C", "F"], "format": "enum"},
                "tags": {"type": "ARRAY", "items": {"type": "STRING"}, "maxItems": "3"},
            },
            "required": ["city"],
            "propertyOrdering": ["city", "days"],
        },
    },
    {"name": "time", "description": "Tells it", "parametersJsonSchema": CITY},
    {"name": "now", "description": "Needs nothing"},
]
TOOLS = [{"functionDeclarations": DECLARATIONS}]


def _user(*parts):
    return {"contents": [{"role": "user", "parts": [{"text": "Look"}, *parts]}]}


def _call(name, **more):
    return {"functionCall": {"name": name, "args": {"city": "Oslo", "days": 3}}, **more}


def _response(name, response):
    return {"functionResponse": {"name": name, "response": response}}


def _choice(**config):
    return {"contents": HELLO, "tools": TOOLS, "toolConfig": {"functionCallingConfig": config}}


def _config(**config):
    return {"contents": HELLO, "generationConfig": config}


CASES = {
    "settings": {
        **_config(
            temperature=0.5,
            topP=0.9,
            topK=40,
            maxOutputTokens=500,
            stopSequences=["END"],
            seed=7,
            frequencyPenalty=0.5,
            presencePenalty=0.25,
        ),
        "systemInstruction": {"parts": [{"text": "Be brief"}, {"text": "Be kind"}]},
    },
    "safety": {
        "contents": HELLO,
        "safetySettings": [
            {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}
        ],
    },
    "image": _user({"inlineData": {"mimeType": "image/png", "data": PIXEL}}),
    "pdf": _user({"inlineData": {"mimeType": "application/pdf", "data": PDF}}),
    "audio": _user({"inlineData": {"mimeType": "audio/wav", "data": WAV}}),
    "image by URL": _user(
        {"fileData": {"mimeType": "image/png", "fileUri": "https://example.com/cat.png"}}
    ),
    "tools": {"contents": HELLO, "tools": TOOLS},
    "tool choice any": _choice(mode="ANY"),
    "tool choice none": _choice(mode="NONE"),
    "tool choice named": _choice(mode="ANY", allowedFunctionNames=["time"]),
    "tool choice allowed": _choice(mode="ANY", allowedFunctionNames=["time", "weather"]),
    "parallel results": {
        "tools": TOOLS,
        "contents": [
            *HELLO,
            {
                "role": "model",
                "parts": [
                    {"text": "They greet", "thought": True},
                    {"text": "Let me see"},
                    _call("weather", thoughtSignature=TOKEN),
                    _call("time"),
                ],
            },
            {
                "role": "user",
                "parts": [
                    _response("weather", {"output": "rain", "wind": [1, 2.50]}),
                    _response("time", {"error": "late"}),
                ],
            },
        ],
    },
    "thinking by budget": _config(thinkingConfig={"thinkingBudget": 2048, "includeThoughts": True}),
    "no thinking": _config(thinkingConfig={"thinkingBudget": 0}),
    "schema of its own": _config(
        responseMimeType="application/json",
        responseSchema={
            "type": "OBJECT",
            "properties": {"city": {"type": "STRING"}, "days": {"type": "INTEGER"}},
            "required": ["city"],
        },
    ),
    "schema": _config(responseMimeType="application/json", responseJsonSchema=CITY),
    "json": _config(responseMimeType="application/json"),
    "logprobs": _config(responseLogprobs=True, logprobs=3),
    "candidates": _config(candidateCount=2),
    "search": {"contents": HELLO, "tools": [{"googleSearch": {}}]},
}

# By case: the providers that cannot be told, so that the gateway refuses.
REFUSED = {
    "settings": ["responses"],
    "audio": ["responses", "anthropic", "aws-anthropic", "gcp-anthropic", "cohere"],
    "image by URL": ["aws-bedrock"],
    "json": ["anthropic", "aws-anthropic", "gcp-anthropic", "aws-bedrock"],
    "candidates": [
        "responses",
        "anthropic",
        "aws-anthropic",
        "gcp-anthropic",
        "aws-bedrock",
        "cohere",
    ],
    "search": ["aws-bedrock", "cohere"],
    "pdf": ["cohere"],
}

# Cases with members that OpenAI-compatible servers have and the vendor has not, and who gets them.
OWN_WORDS: set[str] = set()
SAME_FORMAT = {"gemini"}
