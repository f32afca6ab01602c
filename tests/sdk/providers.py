"""The providers that the gateway of these tests knows: one for each format and envelope."""

# A model of each, by the provider's name in `sluice.yaml`. The family says what the model can do.
MODELS = {
    "openai": "openai-gpt-5",
    "responses": "responses-gpt-5",
    "azure": "azure-gpt-5",
    "anthropic": "anthropic-claude-sonnet-4-5",
    "aws-anthropic": "aws-anthropic-claude-sonnet-4-5",
    "gcp-anthropic": "gcp-anthropic-claude-sonnet-4-5",
    "aws-bedrock": "aws-bedrock-claude-sonnet-4-5",
    "gemini": "gemini-2.5-pro",
    "gcp-vertex-ai": "gcp-vertex-ai-gemini-2.5-pro",
    "cohere": "cohere-command-a-reasoning-08-2025",
}
