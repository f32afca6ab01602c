"""Requests that use what a client's API can say, one concern in each, by its name.

`CASES` of each module holds bodies without a model. The values stand for real ones: signatures and
encrypted thoughts are made up.
"""

# One transparent pixel.
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)
PICTURE_URL = "https://example.com/cat.png"
# "%PDF-1.4" and "RIFF": enough for who does not open them.
PDF = "JVBERi0xLjQ="
WAV = "UklGRg=="
TOKEN = "c2lnbmF0dXJl"

CITY = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "Its name", "minLength": 1},
        "units": {"type": "string", "enum": ["C", "F"]},
        "days": {"type": ["integer", "null"], "minimum": 1, "maximum": 14},
        "near": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/point"}]},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
    },
    "required": ["city"],
    "additionalProperties": False,
    "$defs": {
        "point": {
            "type": "object",
            "properties": {"lat": {"type": "number"}, "lon": {"type": "number"}},
            "required": ["lat", "lon"],
        }
    },
}
