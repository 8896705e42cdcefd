"""A model of anekdot for Hugging Face Transformers, in one file.

A decoder-only Transformer: RMSNorm before each half of a block, causal attention with grouped
queries and linear biases (ALiBi), SwiGLU, no bias vectors, and a head that may be the embedding.
It runs with transformers 4.57 and later::

    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(FOLDER, trust_remote_code=True)

Letters: ``B`` batch, ``T`` query positions, ``S`` key positions, ``N`` query heads, ``K`` KV heads,
``H`` width of a head, ``D`` hidden_size.

Sources: Vaswani et al. 2017, "Attention Is All You Need"; Press, Smith and Lewis 2021, "Train
Short, Test Long" (ALiBi); Ainslie et al. 2023 (grouped queries); Shazeer 2020 (SwiGLU); Zhang and
Sennrich 2019 (RMSNorm).
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import DynamicCache, GenerationMixin, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

# Transformers 5.24 calls "cache" what was "past_key_values", as an argument and as a result. Who
# takes one of them only tells nonsense with the other: each token would be the first one.
CACHE = "cache" if "cache" in CausalLMOutputWithPast.__dataclass_fields__ else "past_key_values"


class AnekdotConfig(PretrainedConfig):
    """The shape of a model, under the names that Transformers uses."""

    model_type = "anekdot"
    keys_to_ignore_at_inference = ("past_key_values", "cache")

    def __init__(
        self,
        vocab_size: int = 4096,
        hidden_size: int = 384,
        intermediate_size: int = 1024,
        num_hidden_layers: int = 6,
        num_attention_heads: int = 6,
        num_key_value_heads: int = 3,
        rms_norm_eps: float = 1e-5,
        max_position_embeddings: int = 1024,
        dropout: float = 0.0,
        initializer_range: float = 0.02,
        use_cache: bool = True,
        **kwargs,
    ):
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.intermediate_size = intermediate_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.num_key_value_heads = num_key_value_heads
        self.head_dim = hidden_size // num_attention_heads
        self.rms_norm_eps = rms_norm_eps
        self.max_position_embeddings = max_position_embeddings
        self.dropout = dropout
        self.initializer_range = initializer_range
        self.use_cache = use_cache
        kwargs.pop("head_dim", None)
        super().__init__(**kwargs)


def head_slopes(n_head: int) -> list[float]:
    """Returns ALiBi's penalty per token of distance for each head.

    Powers of two have a geometric sequence. Otherwise the slopes of the next smaller power come
    first, then every second slope of the next larger one.
    """
    power = 2 ** math.floor(math.log2(n_head))
    slopes = [2.0 ** (-8 * i / power) for i in range(1, power + 1)]
    between = [2.0 ** (-4 * i / power) for i in range(1, 2 * power, 2)]
    return slopes + between[: n_head - power]


def attention_bias(
    n_head: int, query_T: Tensor, n_key: int, attention_mask: Tensor | None
) -> Tensor:
    """Returns what is added to the scores, [1 or B, N, T, S]: ALiBi, then the masks.

    Args:
        n_head: N.
        query_T: The positions of the queries in their rows, padding included: ALiBi sees
            distances only.
        n_key: S. A static cache has more keys than there are tokens: they lie in the future.
        attention_mask: [B, tokens], 0 where there is padding. A query always sees itself.
    """
    key_S = torch.arange(n_key, device=query_T.device)
    slopes_N = torch.tensor(head_slopes(n_head), device=query_T.device)
    distance_TS = query_T[:, None] - key_S
    hidden = distance_TS < 0
    if attention_mask is not None:
        real_BS = F.pad(attention_mask.bool(), (0, n_key - attention_mask.shape[1]))
        hidden = hidden | ((distance_TS != 0) & ~real_BS[:, None, None])
    return torch.where(hidden, -math.inf, -slopes_N[:, None, None] * distance_TS)


class RMSNorm(nn.Module):
    """A vector scaled to unit root mean square, in float32, then by a learned gain."""

    def __init__(self, size: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        scale = torch.rsqrt(x.float().square().mean(-1, keepdim=True) + self.eps)
        return (x.float() * scale * self.weight.float()).to(x.dtype)


class Attention(nn.Module):
    """Causal attention: N query heads share K key and value heads."""

    def __init__(self, config: AnekdotConfig, layer: int):
        super().__init__()
        self.layer, self.n_head = layer, config.num_attention_heads
        self.head_dim = config.head_dim
        width, kv_width = config.hidden_size, config.num_key_value_heads * config.head_dim
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = nn.Linear(width, kv_width, bias=False)
        self.v_proj = nn.Linear(width, kv_width, bias=False)
        self.o_proj = nn.Linear(width, width, bias=False)

    def forward(
        self, x_BTD: Tensor, query_T: Tensor, attention_mask: Tensor | None, cache
    ) -> Tensor:
        q_BNTH = self.heads(self.q_proj(x_BTD))
        k_BKSH, v_BKSH = self.heads(self.k_proj(x_BTD)), self.heads(self.v_proj(x_BTD))
        if cache is not None:
            place = {"cache_position": query_T}  # a static cache of transformers 4 asks for it
            k_BKSH, v_BKSH = cache.update(k_BKSH, v_BKSH, self.layer, place)
        group = self.n_head // k_BKSH.shape[1]
        k_BNSH = k_BKSH.repeat_interleave(group, dim=1)
        v_BNSH = v_BKSH.repeat_interleave(group, dim=1)
        bias = attention_bias(self.n_head, query_T, k_BKSH.shape[2], attention_mask)
        out_BNTH = F.scaled_dot_product_attention(q_BNTH, k_BNSH, v_BNSH, bias.to(x_BTD.dtype))
        return self.o_proj(out_BNTH.transpose(1, 2).flatten(2))

    def heads(self, x: Tensor) -> Tensor:
        """Splits [B, T, heads * H] into [B, heads, T, H]."""
        return x.unflatten(-1, (-1, self.head_dim)).transpose(1, 2)


class FeedForward(nn.Module):
    """SwiGLU."""

    def __init__(self, config: AnekdotConfig):
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x_BTD: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x_BTD)) * self.up_proj(x_BTD))


class Block(nn.Module):
    """Each half reads the normalised residual stream and adds to it."""

    def __init__(self, config: AnekdotConfig, layer: int):
        super().__init__()
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.self_attn = Attention(config, layer)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.mlp = FeedForward(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x_BTD: Tensor, *context) -> Tensor:
        x_BTD = x_BTD + self.dropout(self.self_attn(self.input_layernorm(x_BTD), *context))
        return x_BTD + self.dropout(self.mlp(self.post_attention_layernorm(x_BTD)))


class AnekdotPreTrainedModel(PreTrainedModel):
    """What Transformers wants to know about the classes below."""

    config_class = AnekdotConfig
    base_model_prefix = "model"
    _no_split_modules = ("Block",)
    _supports_sdpa = True


class AnekdotModel(AnekdotPreTrainedModel):
    """All but the head."""

    def __init__(self, config: AnekdotConfig):
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(Block(config, n) for n in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_init()

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None, cache) -> Tensor:
        n_past = 0 if cache is None else cache.get_seq_length()
        query_T = n_past + torch.arange(input_ids.shape[1], device=input_ids.device)
        x_BTD = self.dropout(self.embed_tokens(input_ids))
        for layer in self.layers:
            x_BTD = layer(x_BTD, query_T, attention_mask, cache)
        return self.norm(x_BTD)


class AnekdotForCausalLM(AnekdotPreTrainedModel, GenerationMixin):
    """Token ids in, logits of the next token out."""

    _tied_weights_keys = {"lm_head.weight": "model.embed_tokens.weight"}  # noqa: RUF012

    def __init__(self, config: AnekdotConfig):
        super().__init__(config)
        self.model = AnekdotModel(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        past_key_values=None,
        cache=None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int = 0,
        **kwargs,
    ) -> CausalLMOutputWithPast:
        """Returns the logits of the token that follows each position.

        Args:
            input_ids: [B, T]; with a cache, the new tokens only.
            attention_mask: [B, tokens], those in the cache included; 0 where there is padding.
            past_key_values: The cache in transformers before 5.24; it grows by T tokens.
            cache: The same from 5.24 on.
            labels: [B, T], the tokens of ``input_ids``, -100 where none is to be learned.
            use_cache: Whether to make a cache if none is given.
            logits_to_keep: How many of the last positions to return; 0 for all.
            kwargs: What Transformers passes to every model; the position ids among it are of no
                use to ALiBi.
        """
        past = past_key_values if cache is None else cache
        if past is None and (self.config.use_cache if use_cache is None else use_cache):
            past = DynamicCache()
        x_BTD = self.model(input_ids, attention_mask, past)
        logits_BTV = self.lm_head(x_BTD[:, -logits_to_keep:])
        loss = None
        if labels is not None:
            loss = self.loss_function(logits_BTV, labels, self.config.vocab_size, **kwargs)
        return CausalLMOutputWithPast(loss=loss, logits=logits_BTV, **{CACHE: past})

    @staticmethod
    def create_masks_for_generate(attention_mask: Tensor | None = None, **kwargs) -> Tensor | None:
        """Gives the mask the length of a static cache, so that its shape stays the same.

        ``attention_bias`` does the rest, for all caches alike.
        """
        cache = kwargs.get("cache", kwargs.get("past_key_values"))
        if attention_mask is None:
            return None
        missing = cache.layers[0].max_cache_len - attention_mask.shape[1]
        return F.pad(attention_mask, (0, missing))
